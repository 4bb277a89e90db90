#include "ui/stage/compare_view.h"

#include <QButtonGroup>
#include <QHBoxLayout>
#include <QLabel>
#include <QMouseEvent>
#include <QPainter>
#include <QPushButton>
#include <QSlider>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/shell/commands.h"
#include "ui/stage/compare_model.h"
#include "ui/theme/theme.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {

constexpr int kMargin = 16;

QRectF fitted(const QSizeF& picture, const QRectF& place) {
  auto size = picture.scaled(place.size(), Qt::KeepAspectRatio);
  if (size.width() > 4 * picture.width()) size = picture * 4;
  return {place.center() - QPointF(size.width() / 2, size.height() / 2), size};
}

void tag(QPainter& painter, const QPointF& corner, const QString& text) {
  const auto box = painter.fontMetrics().boundingRect(text).adjusted(-8, -4, 8, 4);
  const QRect place(corner.toPoint(), box.size());
  auto ground = current_theme().color("stage");
  ground.setAlpha(220);
  painter.setPen(Qt::NoPen);
  painter.setBrush(ground);
  painter.drawRoundedRect(place, 4, 4);
  painter.setPen(current_theme().color("on_stage"));
  painter.drawText(place, Qt::AlignCenter, text);
}

}  // namespace

ComparePicture::ComparePicture(CompareModel& model, QWidget* parent) : QAbstractSlider(parent), model_(model) {
  setObjectName(QStringLiteral("comparePicture"));
  setAccessibleName(tr("Edge between the two clips"));
  setFocusPolicy(Qt::StrongFocus);
  setRange(0, 1000);
  setValue(500);
  setSingleStep(10);
  setPageStep(100);
  setMinimumSize(240, 160);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
  connect(this, &QAbstractSlider::valueChanged, this, qOverload<>(&QWidget::update));
  connect(&model_, &CompareModel::changed, this, qOverload<>(&QWidget::update));
}

void ComparePicture::set_mode(Mode mode) {
  mode_ = mode;
  update();
}

void ComparePicture::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setRenderHint(QPainter::SmoothPixmapTransform);
  painter.setRenderHint(QPainter::Antialiasing);
  const auto& theme = current_theme();
  painter.fillRect(rect(), theme.color("stage"));
  const auto a = model_.image(0), b = model_.image(1);
  const QRectF place = QRectF(rect()).adjusted(kMargin, kMargin, -kMargin, -kMargin);
  if (mode_ == Mode::SideBySide) {
    const double half = (place.width() - kMargin) / 2;
    const QRectF left(place.topLeft(), QSizeF(half, place.height()));
    const QRectF right(QPointF(place.left() + half + kMargin, place.top()), left.size());
    for (const auto& [image, part, name] : {std::tuple{a, left, tr("A")}, {b, right, tr("B")}}) {
      if (image.isNull()) continue;
      const auto fit = fitted(image.size(), part);
      painter.drawImage(fit, image);
      tag(painter, fit.topLeft() + QPointF(8, 8), name);
    }
  } else if (mode_ == Mode::Difference) {
    if (const auto difference = model_.difference(); !difference.isNull()) {
      const auto fit = fitted(difference.size(), place);
      painter.drawImage(fit, difference);
      tag(painter, fit.topLeft() + QPointF(8, 8), tr("Difference, 4 times"));
    }
  } else if (!a.isNull() && !b.isNull()) {
    const auto fit = fitted(a.size(), place);
    const double edge = fit.left() + fit.width() * value() / 1000.0;
    painter.drawImage(fit, a);
    painter.setClipRect(QRectF(edge, fit.top(), fit.right() - edge, fit.height()));
    painter.drawImage(fit, b);
    painter.setClipping(false);
    painter.fillRect(QRectF(edge - 1, fit.top(), 2, fit.height()), theme.color("accent"));
    tag(painter, fit.topLeft() + QPointF(8, 8), tr("A"));
    tag(painter, fit.topRight() + QPointF(-32, 8), tr("B"));
  }
  if (hasFocus()) {
    painter.setPen(theme.color("accent"));
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(rect().adjusted(0, 0, -1, -1));
  }
}

void ComparePicture::put_edge(double x) {
  const auto a = model_.image(0);
  if (mode_ != Mode::Wipe || a.isNull()) return;
  const auto fit = fitted(a.size(), QRectF(rect()).adjusted(kMargin, kMargin, -kMargin, -kMargin));
  setValue(static_cast<int>((x - fit.left()) / fit.width() * 1000));
}

void ComparePicture::mousePressEvent(QMouseEvent* event) {
  setFocus();
  put_edge(event->position().x());
}
void ComparePicture::mouseMoveEvent(QMouseEvent* event) { put_edge(event->position().x()); }

CompareView::CompareView(CompareModel& model, Commands& commands, QWidget* parent)
    : QWidget(parent),
      model_(model),
      picture_(new ComparePicture(model)),
      time_(new QSlider(Qt::Horizontal)),
      place_(new QLabel),
      distance_(new QLabel) {
  make_commands(commands);
  const QString names[] = {tr("Wipe"), tr("Side by side"), tr("Difference")};
  auto* bar = new QHBoxLayout;
  bar->setSpacing(8);
  auto* back = new QPushButton(tr("Back to the library"));
  connect(back, &QPushButton::clicked, this, &CompareView::closed);
  bar->addWidget(back);
  bar->addStretch();
  auto* group = new QButtonGroup(this);
  for (int i = 0; i < 3; ++i) {
    modes_[i] = new QToolButton;
    modes_[i]->setObjectName(QStringLiteral("flat"));
    modes_[i]->setText(names[i]);
    modes_[i]->setAccessibleName(names[i]);
    modes_[i]->setCheckable(true);
    group->addButton(modes_[i], i);
    bar->addWidget(modes_[i]);
  }
  modes_[0]->setChecked(true);
  connect(group, &QButtonGroup::idClicked, this,
          [this](int id) { picture_->set_mode(static_cast<ComparePicture::Mode>(id)); });

  auto* below = new QHBoxLayout;
  below->setSpacing(8);
  for (const char* id : {"compare.play", "compare.swap"}) {
    auto* button = new QToolButton;
    auto* action = commands.find(QLatin1String(id));
    button->setObjectName(QStringLiteral("flat"));
    button->setDefaultAction(action);
    button->setIconSize({20, 20});
    button->setAccessibleName(action->text());
    below->addWidget(button);
  }
  time_->setAccessibleName(tr("Frame"));
  place_->setObjectName(QStringLiteral("dim"));
  below->addWidget(time_, 1);
  below->addWidget(place_);
  distance_->setWordWrap(true);
  auto* choice = new QHBoxLayout;
  choice->setSpacing(8);
  choice->addStretch();
  for (int which : {0, 1}) {
    take_[which] = new QPushButton(which == 0 ? tr("Use the settings of A") : tr("Use the settings of B"));
    connect(take_[which], &QPushButton::clicked, this, [this, which] { Q_EMIT settings_wanted(which); });
    choice->addWidget(take_[which]);
  }
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(8);
  layout->addLayout(bar);
  layout->addWidget(picture_, 1);
  layout->addLayout(below);
  layout->addWidget(distance_);
  layout->addLayout(choice);
  setFocusProxy(picture_);
  connect(time_, &QSlider::valueChanged, this, [this](int frame) {
    if (frame != model_.position()) model_.seek(frame);
  });
  connect(&model_, &CompareModel::changed, this, &CompareView::refresh);
  connect(&model_, &CompareModel::failed, distance_, &QLabel::setText);
  refresh();
}

void CompareView::make_commands(Commands& commands) {
  const auto add = [&](const char* id, const QString& text, QKeySequence keys, const char* icon_name, auto run) {
    commands.add({.id = QLatin1String(id),
                  .text = text,
                  .menu = Menu::Library,
                  .shortcut = keys,
                  .icon = QLatin1String(icon_name),
                  .help = {},
                  .scope = this},
                 run);
  };
  add("compare.play", tr("Play both or pause"), Qt::Key_Space, "play", [this] { model_.play_pause(); });
  add("compare.swap", tr("Swap A and B"), Qt::Key_X, "loop", [this] { model_.swap(); });
  add("compare.back", tr("Both one frame back"), Qt::Key_Comma, "", [this] { model_.step(-1); });
  add("compare.on", tr("Both one frame on"), Qt::Key_Period, "", [this] { model_.step(1); });
  add("compare.close", tr("Back to the library"), Qt::Key_Escape, "", [this] { Q_EMIT closed(); });
}

void CompareView::refresh() {
  time_->setRange(0, std::max(model_.count() - 1, 0));
  time_->setValue(model_.position());
  place_->setText(model_.count() > 0 ? tr("frame %1 of %2").arg(model_.position() + 1).arg(model_.count()) : QString());
  const auto a = model_.image(0), b = model_.image(1);
  QString text;
  if (a.isNull() || b.isNull())
    text = tr("Loading…");
  else if (a.size() != b.size())
    text = tr("The clips differ in size, so their frames have no distance.");
  else if (model_.equal())
    text = tr("This frame is the same in both, pixel for pixel.");
  else
    text = tr("This frame: PSNR %L1 dB").arg(model_.psnr().value_or(0), 0, 'f', 2);
  distance_->setText(text);
  picture_->setAccessibleDescription(text);
}

}  // namespace rubato::ui
