#include "ui/queue/queue_view.h"

#include <QApplication>
#include <QDockWidget>
#include <QHeaderView>
#include <QLabel>
#include <QPainter>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QStackedWidget>
#include <QToolButton>
#include <QTreeView>
#include <QVBoxLayout>

#include "ui/create/copy_command.h"
#include "ui/queue/queue_model.h"
#include "ui/report/report_dialog.h"
#include "ui/shell/commands.h"
#include "ui/shell/studio.h"
#include "ui/theme/theme.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/tall_rows.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {

// A state has a picture as well as a word; a running job a line below its text that grows.
class JobDelegate final : public TallRows {
 public:
  using TallRows::TallRows;

  void initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const override {
    QStyledItemDelegate::initStyleOption(option, index);
    if (index.column() != QueueModel::State) return;
    const auto state = index.data(QueueModel::kStateRole).toString();
    const auto [name, color] = picture(state);
    option->features |= QStyleOptionViewItem::HasDecoration;
    option->icon = icon(QLatin1String(name), color);
    option->decorationSize = {16, 16};
  }

  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    QStyledItemDelegate::paint(painter, option, index);
    const double fraction = index.data(QueueModel::kFractionRole).toDouble();
    if (index.column() != QueueModel::Progress || fraction < 0) return;
    const QRectF line(option.rect.left() + 4, option.rect.bottom() - 4, option.rect.width() - 16, 3);
    painter->fillRect(line, current_theme().color("raised"));
    painter->fillRect(QRectF(line.topLeft(), QSizeF(line.width() * fraction, line.height())),
                      current_theme().color("accent"));
  }

 private:
  static std::pair<const char*, const char*> picture(const QString& state) {
    if (state == QLatin1String("running")) return {"play", "accent"};
    if (state == QLatin1String("done")) return {"ok", "good"};
    if (state == QLatin1String("failed")) return {"error", "bad"};
    if (state == QLatin1String("cancelled")) return {"cancel", "dim"};
    if (state == QLatin1String("suspended")) return {"warning", "warning"};
    return {"clock", "dim"};
  }
};

}  // namespace

QueueView::QueueView(Studio& studio, QWidget* parent)
    : QMainWindow(parent, Qt::Widget),
      studio_(studio),
      queue_(studio.queue()),
      table_(new QTreeView),
      log_(new QPlainTextEdit),
      pages_(new QStackedWidget),
      pause_(new QPushButton),
      state_(new QLabel) {
  make_commands(studio);
  auto* empty = new EmptyState(QStringLiteral("queue"), tr("The queue is empty"),
                               tr("What you render waits here, survives a crash, and goes on where it stopped."));
  connect(empty->add_choice(tr("Write a clip"), QStringLiteral("video")), &QPushButton::clicked, this,
          [this] { Q_EMIT studio_.workspace_wanted(QStringLiteral("video")); });
  pages_->addWidget(make_table());
  pages_->addWidget(empty);
  setCentralWidget(pages_);
  setFocusProxy(table_);

  log_->setReadOnly(true);
  log_->setAccessibleName(tr("Log of the chosen job"));
  log_->setTabChangesFocus(true);
  log_->setLineWrapMode(QPlainTextEdit::NoWrap);
  auto* dock = new QDockWidget(tr("Log"));
  dock->setObjectName(QStringLiteral("logDock"));
  auto* frame = new QWidget;
  frame->setObjectName(QStringLiteral("panel"));
  auto* inset = new QVBoxLayout(frame);
  inset->setContentsMargins(16, 4, 16, 16);
  inset->addWidget(log_);
  dock->setWidget(frame);
  addDockWidget(Qt::BottomDockWidgetArea, dock);
  resizeDocks({dock}, {176}, Qt::Vertical);

  connect(&queue_, &QueueModel::changed, this, &QueueView::refresh);
  connect(table_->selectionModel(), &QItemSelectionModel::currentChanged, this, &QueueView::refresh);
  refresh();
}

void QueueView::make_commands(Studio& studio) {
  auto& commands = studio.commands();
  const auto add = [&](const char* id, const QString& text, QKeySequence keys, const char* icon_name, auto run) {
    commands.add({.id = QLatin1String(id),
                  .text = text,
                  .menu = Menu::Queue,
                  .shortcut = keys,
                  .icon = QLatin1String(icon_name),
                  .help = {},
                  .scope = this,
                  .on_choice = id != std::string_view("queue.clear")},
                 run);
  };
  add("queue.up", tr("Move up"), Qt::ALT | Qt::Key_Up, "up", [this] { queue_.move_by(chosen(), -1); });
  add("queue.down", tr("Move down"), Qt::ALT | Qt::Key_Down, "down", [this] { queue_.move_by(chosen(), 1); });
  add("queue.retry", tr("Try again"), Qt::Key_R, "reset", [this] { queue_.retry(chosen()); });
  add("queue.cancel", tr("Cancel"), Qt::Key_C, "cancel", [this] { queue_.cancel(chosen()); });
  add("queue.remove", tr("Remove from the list"), Qt::Key_Delete, "trash", [this] { queue_.remove(chosen()); });
  add("queue.report", tr("Run report"), Qt::Key_I, "info", [this] {
    if (!chosen().isEmpty()) open_job_report(studio_, chosen(), this);
  });
  add("queue.command", tr("Copy as command line"), Qt::CTRL | Qt::SHIFT | Qt::Key_C, "command", [this] {
    if (const int row = queue_.row_of(chosen()); row >= 0) copy_command_line(studio_, queue_.job(row).spec);
  });
  add("queue.clear", tr("Remove all that have ended"), {}, "", [this] { queue_.clear_ended(); });
}

QWidget* QueueView::make_table() {
  auto* page = new QWidget;
  table_->setModel(&queue_);
  table_->setItemDelegate(new JobDelegate(table_));
  table_->setRootIsDecorated(false);
  table_->setUniformRowHeights(true);
  table_->setAllColumnsShowFocus(true);
  table_->setSelectionMode(QAbstractItemView::SingleSelection);
  table_->setDragDropMode(QAbstractItemView::InternalMove);
  table_->setDefaultDropAction(Qt::MoveAction);
  table_->setDropIndicatorShown(true);
  table_->setObjectName(QStringLiteral("jobs"));
  table_->setAccessibleName(tr("Jobs"));
  auto* header = table_->header();
  header->setStretchLastSection(false);
  header->setSectionResizeMode(QueueModel::Name, QHeaderView::Stretch);
  header->resizeSection(QueueModel::State, 128);
  header->resizeSection(QueueModel::Progress, 320);
  header->resizeSection(QueueModel::Added, 128);

  connect(table_, &QTreeView::activated, this,
          [this] { studio_.commands().find(QStringLiteral("queue.report"))->trigger(); });
  auto* bar = new QHBoxLayout;
  bar->setSpacing(4);
  connect(pause_, &QPushButton::clicked, this, [this] { queue_.paused() ? queue_.resume() : queue_.pause(); });
  state_->setObjectName(QStringLiteral("dim"));
  bar->addWidget(pause_);
  bar->addSpacing(4);
  bar->addWidget(state_);
  bar->addStretch();
  for (const char* id :
       {"queue.up", "queue.down", "queue.retry", "queue.cancel", "queue.report", "queue.command", "queue.remove"}) {
    auto* button = new QToolButton;
    auto* action = studio_.commands().find(QLatin1String(id));
    button->setObjectName(QStringLiteral("flat"));
    button->setDefaultAction(action);
    button->setIconSize({20, 20});
    button->setAccessibleName(action->text());
    bar->addWidget(button);
  }
  auto* layout = new QVBoxLayout(page);
  layout->setContentsMargins(16, 16, 16, 8);
  layout->setSpacing(8);
  layout->addLayout(bar);
  layout->addWidget(table_, 1);
  return page;
}

QString QueueView::chosen() const { return table_->currentIndex().data(QueueModel::kIdRole).toString(); }

void QueueView::refresh() {
  pages_->setCurrentIndex(queue_.rowCount() > 0 ? 0 : 1);
  pause_->setText(queue_.paused() ? tr("Go on") : tr("Pause"));
  pause_->setIcon(icon(queue_.paused() ? QStringLiteral("play") : QStringLiteral("pause")));
  state_->setText(queue_.paused() ? (queue_.pause_reason().isEmpty() ? tr("Paused: what runs ends, nothing new begins.")
                                                                     : tr("Paused: %1").arg(queue_.pause_reason()))
                                  : tr("%Ln waiting", nullptr, queue_.waiting()));
  if (!table_->currentIndex().isValid() && queue_.rowCount() > 0) table_->setCurrentIndex(queue_.index(0, 0));
  const auto id = chosen();
  auto state = JobState::Queued;
  if (const int row = queue_.row_of(id); row >= 0) state = queue_.job(row).state;
  const bool any = !id.isEmpty();
  const auto enable = [&](const char* command, bool on) {
    studio_.commands().find(QLatin1String(command))->setEnabled(any && on);
  };
  const bool waits = state == JobState::Queued || state == JobState::Blocked;
  enable("queue.up", waits);
  enable("queue.down", waits);
  enable("queue.cancel",
         waits || state == JobState::Running || state == JobState::Interrupted || state == JobState::Suspended);
  enable("queue.retry", state == JobState::Failed || state == JobState::Cancelled || state == JobState::Suspended ||
                            state == JobState::Interrupted);
  enable("queue.report", true);
  enable("queue.command", true);
  enable("queue.remove", state != JobState::Running);
  const auto text = any ? queue_.log(id) : QString();
  if (text != log_->toPlainText()) log_->setPlainText(text);
}

}  // namespace rubato::ui
