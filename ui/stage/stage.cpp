#include "ui/stage/stage.h"

#include <QAction>
#include <QHBoxLayout>
#include <QPainter>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/shell/commands.h"
#include "ui/stage/player.h"
#include "ui/stage/time_strip.h"
#include "ui/theme/theme.h"

namespace rubato::ui {

PictureView::PictureView(QWidget* parent) : QWidget(parent) {
  setObjectName(QStringLiteral("picture"));
  setFocusPolicy(Qt::StrongFocus);
  setAccessibleName(tr("Stage"));
  setMinimumSize(160, 120);
}

void PictureView::set_picture(const QImage& picture, QSize size) {
  picture_ = picture;
  size_ = size.isEmpty() ? picture.size() : size;
  update();
}

void PictureView::set_caption(const QString& caption) {
  if (caption == caption_) return;
  caption_ = caption;
  setAccessibleDescription(caption);
  update();
}

void PictureView::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  const auto& theme = current_theme();
  painter.fillRect(rect(), theme.color("stage"));
  QPointF corner(16, 16);
  if (!picture_.isNull()) {
    auto size = QSizeF(size_).scaled(QSizeF(width() - 32, height() - 32), Qt::KeepAspectRatio);
    // A picture of few pixels is not blown up without end: four screen pixels for one are plenty.
    if (size.width() > 4.0 * size_.width()) size = QSizeF(size_) * 4;
    const QRectF place(QPointF((width() - size.width()) / 2, (height() - size.height()) / 2), size);
    painter.setRenderHint(QPainter::SmoothPixmapTransform);
    painter.drawImage(place, picture_);
    corner = place.topLeft();
  }
  if (!caption_.isEmpty()) {
    const auto box = painter.fontMetrics().boundingRect(caption_).adjusted(-8, -4, 8, 4);
    const QRect place(corner.toPoint() + QPoint(8, 8), box.size());
    auto ground = theme.color("stage");
    ground.setAlpha(220);
    painter.setPen(Qt::NoPen);
    painter.setBrush(ground);
    painter.drawRoundedRect(place, 4, 4);
    painter.setPen(theme.color("on_stage"));
    painter.drawText(place, Qt::AlignCenter, caption_);
  }
  if (hasFocus()) {
    painter.setPen(theme.color("accent"));
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(rect().adjusted(0, 0, -1, -1));
  }
}

Stage::Stage(Player& player, Commands& commands, QWidget* parent)
    : QWidget(parent),
      player_(player),
      view_(new PictureView),
      strip_(new TimeStrip(player)),
      pages_(new QStackedWidget),
      transport_(new QWidget),
      time_(new QLabel) {
  pages_->addWidget(view_);
  auto* bar = new QHBoxLayout(transport_);
  bar->setContentsMargins(8, 4, 8, 4);
  bar->setSpacing(2);
  transport_->setObjectName(QStringLiteral("panel"));
  transport_->setAttribute(Qt::WA_StyledBackground);
  make_commands(commands);
  time_->setObjectName(QStringLiteral("dim"));
  time_->setAccessibleName(tr("Position"));
  time_->setToolTip(tr("Second and frame"));
  for (const char* id : {"stage.first", "stage.back", "stage.play", "stage.forward", "stage.last"})
    bar->addWidget(button(commands.find(QLatin1String(id))));
  bar->addSpacing(8);
  bar->addWidget(time_);
  bar->addStretch();
  for (const char* id : {"stage.in", "stage.out", "stage.clear", "stage.loop"})
    bar->addWidget(button(commands.find(QLatin1String(id))));

  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  layout->addWidget(pages_, 1);
  layout->addWidget(strip_);
  layout->addWidget(transport_);
  connect(&player_, &Player::moved, this, &Stage::refresh);
  connect(&player_, &Player::changed, this, &Stage::refresh);
  connect(&player_, &Player::opened, this, [this] { follow_preview(false); });
  connect(strip_, &TimeStrip::touched, this, [this] { follow_preview(false); });
  connect(&player_, &Player::failed, this, [this](const QString& problem) {
    view_->set_picture({});
    view_->set_caption(problem);
  });
  refresh();
}

void Stage::make_commands(Commands& commands) {
  const auto add = [&](const char* id, const QString& text, QKeySequence keys, const char* icon_name, auto run) {
    return commands.add({.id = QLatin1String(id),
                         .text = text,
                         .menu = Menu::Play,
                         .shortcut = keys,
                         .icon = QLatin1String(icon_name),
                         .help = {},
                         .scope = this},
                        [this, run] {
                          follow_preview(false);
                          run();
                        });
  };
  play_ = add("stage.play", tr("Play or pause"), Qt::Key_Space, "play", [this] { player_.play_pause(); });
  add("stage.shuttle_back", tr("Backwards, again faster"), Qt::Key_J, "", [this] { player_.shuttle(-1); });
  add("stage.halt", tr("Stand still"), Qt::Key_K, "", [this] { player_.stop(); });
  add("stage.shuttle_on", tr("Forwards, again faster"), Qt::Key_L, "", [this] { player_.shuttle(1); });
  add("stage.back", tr("One frame back"), Qt::Key_Left, "step-back", [this] { player_.step(-1); });
  add("stage.forward", tr("One frame on"), Qt::Key_Right, "step-forward", [this] { player_.step(1); });
  add("stage.back10", tr("Ten frames back"), Qt::SHIFT | Qt::Key_Left, "", [this] { player_.step(-10); });
  add("stage.forward10", tr("Ten frames on"), Qt::SHIFT | Qt::Key_Right, "", [this] { player_.step(10); });
  add("stage.first", tr("To the first frame"), Qt::Key_Home, "first", [this] { player_.step(-player_.count()); });
  add("stage.last", tr("To the last frame"), Qt::Key_End, "last", [this] { player_.step(player_.count()); });
  add("stage.in", tr("Mark in"), Qt::Key_I, "mark-in", [this] { player_.mark_in(); });
  add("stage.out", tr("Mark out"), Qt::Key_O, "mark-out", [this] { player_.mark_out(); });
  add("stage.clear", tr("Clear in and out"), Qt::SHIFT | Qt::Key_I, "cancel", [this] { player_.clear_range(); });
  loop_ = add("stage.loop", tr("Loop"), Qt::SHIFT | Qt::Key_L, "loop", [this] { player_.set_loops(!player_.loops()); });
  loop_->setCheckable(true);
}

QToolButton* Stage::button(QAction* action) {
  auto* made = new QToolButton;
  made->setObjectName(QStringLiteral("flat"));
  made->setDefaultAction(action);
  made->setIconSize({20, 20});
  made->setAccessibleName(action->text());
  return made;
}

void Stage::show_preview(const QImage& picture, QSize size, const QString& caption) {
  if (!follows_) return;
  previewing_ = true;
  view_->set_picture(picture, size);
  view_->set_caption(caption);
  pages_->setCurrentWidget(view_);
}

void Stage::clear_preview() {
  previewing_ = false;
  refresh();
}

void Stage::follow_preview(bool follow) {
  if (follow == follows_) return;
  follows_ = follow;
  if (!follow) clear_preview();
  Q_EMIT preview_followed(follow);
}

void Stage::set_empty(QWidget* page) {
  pages_->addWidget(page);
  refresh();
}

void Stage::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  // In steps, so that dragging an edge does not fetch everything anew.
  const auto pixels = static_cast<int>(std::max(width(), height()) * devicePixelRatioF());
  player_.frames().set_max_side((pixels / 640 + 1) * 640);
}

void Stage::refresh() {
  const bool open = player_.is_open();
  strip_->setEnabled(open);
  for (auto* action : actions()) action->setEnabled(open);
  loop_->setChecked(player_.loops());
  play_->setIcon(icon(player_.speed() != 0 ? QStringLiteral("pause") : QStringLiteral("play")));
  QString caption;
  if (open) {
    const int frame = player_.position();
    time_->setText(tr("%L1 s · %2/%3").arg(player_.seconds(), 0, 'f', 2).arg(frame + 1).arg(player_.count()));
    if (player_.speed() != 0 && player_.speed() != 1) caption = tr("%1×", "speed").arg(player_.speed());
  } else {
    time_->setText({});
  }
  strip_->setVisible(open);
  transport_->setVisible(open);
  if (previewing_) return;
  if (open) {
    if (const auto image = player_.image(); !image.isNull()) view_->set_picture(image);
    view_->set_caption(caption);
  } else {
    view_->set_picture({});
    view_->set_caption({});
  }
  pages_->setCurrentIndex(open || pages_->count() < 2 ? 0 : 1);
}

}  // namespace rubato::ui
