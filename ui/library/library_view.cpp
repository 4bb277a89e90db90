#include "ui/library/library_view.h"

#include <QClipboard>
#include <QDesktopServices>
#include <QDockWidget>
#include <QFileDialog>
#include <QGuiApplication>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QPainter>
#include <QPushButton>
#include <QStackedWidget>
#include <QStyledItemDelegate>
#include <QUrl>
#include <QVBoxLayout>

#include "engine/base/guard.h"
#include "ui/create/copy_command.h"
#include "ui/library/export_clips.h"
#include "ui/library/filter_bar.h"
#include "ui/library/library_model.h"
#include "ui/library/tag_editor.h"
#include "ui/library/verifier.h"
#include "ui/report/report_dialog.h"
#include "ui/report/run_compare.h"
#include "ui/shell/commands.h"
#include "ui/shell/studio.h"
#include "ui/stage/compare_model.h"
#include "ui/stage/compare_view.h"
#include "ui/theme/theme.h"
#include "ui/widgets/background.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {

constexpr int kCell = 192, kPicture = 144, kGap = 8;

// A picture, a line of title, and a star where there is one.
class ClipDelegate final : public QStyledItemDelegate {
 public:
  using QStyledItemDelegate::QStyledItemDelegate;

  QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const override { return {kCell, kPicture + 40}; }

  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    const auto& theme = current_theme();
    const QRect cell = option.rect.adjusted(kGap / 2, kGap / 2, -kGap / 2, -kGap / 2);
    const bool selected = (option.state & QStyle::State_Selected) != 0;
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setRenderHint(QPainter::SmoothPixmapTransform);
    painter->setPen(selected ? QPen(theme.color("accent"), 2) : QPen(theme.color("border"), 1));
    painter->setBrush(selected ? theme.color("selection") : theme.color("panel"));
    painter->drawRoundedRect(cell, 4, 4);
    const QRect picture(cell.left() + kGap / 2, cell.top() + kGap / 2, cell.width() - kGap, kPicture - kGap);
    painter->fillRect(picture, theme.color("stage"));
    const auto pixmap = index.data(Qt::DecorationRole).value<QPixmap>();
    if (!pixmap.isNull()) {
      const auto size = pixmap.size().scaled(picture.size(), Qt::KeepAspectRatio);
      painter->drawPixmap(QRect(picture.center() - QPoint(size.width() / 2, size.height() / 2), size), pixmap);
    } else {
      icon(QStringLiteral("picture"), "dim").paint(painter, QRect(picture.center() - QPoint(12, 12), QSize(24, 24)));
    }
    const QRect line(cell.left() + kGap, picture.bottom() + 4, cell.width() - 2 * kGap,
                     cell.bottom() - picture.bottom() - 6);
    const bool starred = index.data(LibraryModel::kStarredRole).toBool();
    if (starred)
      icon(QStringLiteral("star-filled"), selected ? "on_selection" : "accent")
          .paint(painter, QRect(line.right() - 16, line.center().y() - 8, 16, 16));
    const auto text =
        painter->fontMetrics().elidedText(index.data().toString(), Qt::ElideRight, line.width() - (starred ? 20 : 0));
    painter->setPen(theme.color(selected ? "on_selection" : "text"));
    painter->drawText(line, Qt::AlignLeft | Qt::AlignVCenter, text);
    painter->restore();
  }
};

}  // namespace

LibraryView::LibraryView(Studio& studio, QWidget* parent)
    : QMainWindow(parent, Qt::Widget),
      studio_(studio),
      filter_(new LibraryFilter(studio.library(), this)),
      list_(new QListView),
      bar_(new FilterBar(studio.library(), *filter_)),
      pages_(new QStackedWidget),
      title_(new QLabel),
      prompt_(new QLabel),
      facts_(new QLabel),
      tags_(new TagEditor(studio.library())),
      actions_(new QWidget) {
  make_commands();
  auto* empty = new EmptyState(QStringLiteral("library"), tr("No clips yet"),
                               tr("Every clip that is rendered here appears in "
                                  "the library, with all of its settings."));
  connect(empty->add_choice(tr("Write a clip"), QStringLiteral("video")), &QPushButton::clicked, this,
          [this] { Q_EMIT studio_.workspace_wanted(QStringLiteral("video")); });
  auto* nothing =
      new EmptyState(QStringLiteral("search"), tr("Nothing found"), tr("No clip has all that is looked for."));
  connect(nothing->add_choice(tr("Show all clips")), &QPushButton::clicked, bar_, &FilterBar::clear);
  auto* page = new QWidget;
  auto* layout = new QVBoxLayout(page);
  layout->setContentsMargins(16, 16, 8, 8);
  layout->setSpacing(8);
  layout->addWidget(bar_);
  pages_->addWidget(make_list());
  pages_->addWidget(empty);
  pages_->addWidget(nothing);
  compare_ = new CompareView(studio_.compare(), studio_.commands());
  pages_->addWidget(compare_);
  connect(compare_, &CompareView::closed, this, &LibraryView::end_compare);
  connect(&studio_.compare(), &CompareModel::changed, this, &LibraryView::follow_swap);
  connect(compare_, &CompareView::settings_wanted, this,
          [this](int which) { studio_.take_settings_of(studio_.compare().file(which)); });
  layout->addWidget(pages_, 1);
  setCentralWidget(page);
  setFocusProxy(list_);

  dock_ = new QDockWidget(tr("Clip"));
  dock_->setObjectName(QStringLiteral("clipDock"));
  side_ = new QStackedWidget;
  runs_ = new RunCompareView(studio_);
  side_->addWidget(make_details());
  side_->addWidget(runs_);
  dock_->setWidget(side_);
  addDockWidget(Qt::RightDockWidgetArea, dock_);
  resizeDocks({dock_}, {320}, Qt::Horizontal);

  connect(filter_, &QAbstractItemModel::modelReset, this, &LibraryView::refresh);
  connect(filter_, &QAbstractItemModel::rowsInserted, this, &LibraryView::refresh);
  connect(filter_, &QAbstractItemModel::rowsRemoved, this, &LibraryView::refresh);
  connect(filter_, &QAbstractItemModel::dataChanged, this, &LibraryView::refresh);
  connect(list_->selectionModel(), &QItemSelectionModel::currentChanged, this, &LibraryView::refresh);
  connect(list_->selectionModel(), &QItemSelectionModel::selectionChanged, this, &LibraryView::refresh);
  refresh();
}

QWidget* LibraryView::make_list() {
  list_->setModel(filter_);
  list_->setSelectionMode(QAbstractItemView::ExtendedSelection);
  list_->setItemDelegate(new ClipDelegate(list_));
  list_->setViewMode(QListView::IconMode);
  list_->setResizeMode(QListView::Adjust);
  list_->setMovement(QListView::Static);
  list_->setUniformItemSizes(true);
  list_->setLayoutMode(QListView::Batched);
  list_->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  list_->setAccessibleName(tr("Clips"));
  list_->setObjectName(QStringLiteral("clips"));
  list_->setContextMenuPolicy(Qt::CustomContextMenu);
  connect(list_, &QWidget::customContextMenuRequested, this, [this](const QPoint& at) {
    if (chosen().isEmpty()) return;
    auto* menu = make_menu(list_);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->popup(list_->viewport()->mapToGlobal(at));
  });
  connect(list_, &QListView::activated, this,
          [this] { studio_.commands().find(QStringLiteral("library.open"))->trigger(); });
  return list_;
}

void LibraryView::make_commands() {
  const auto add = [&](const char* id, const QString& text, QKeySequence keys, const char* icon_name, auto run) {
    studio_.commands().add({.id = QLatin1String(id),
                            .text = text,
                            .menu = Menu::Library,
                            .shortcut = keys,
                            .icon = QLatin1String(icon_name),
                            .help = {},
                            .scope = this,
                            .on_choice = true},
                           [this, run] {
                             if (const auto item = studio_.library().find(chosen())) run(*item);
                           });
  };
  studio_.commands().add({.id = QStringLiteral("library.search"),
                          .text = tr("Search the library"),
                          .menu = Menu::Library,
                          .shortcut = QKeySequence(QKeySequence::Find),
                          .icon = QStringLiteral("search"),
                          .help = {},
                          .scope = this},
                         [this] {
                           Q_EMIT studio_.workspace_wanted(QStringLiteral("library"));
                           if (pages_->currentWidget() == compare_) end_compare();
                           bar_->search()->setFocus(Qt::ShortcutFocusReason);
                         });
  add("library.open", tr("Show on the stage"), {}, "play",
      [this](const LibraryItem& item) { studio_.open_clip(item.path); });
  add("library.report", tr("Run report"), Qt::Key_I, "info",
      [this](const LibraryItem& item) { open_clip_report(studio_, qt(item.id), this); });
  add("library.settings", tr("Use its settings"), Qt::Key_U, "reset",
      [this](const LibraryItem& item) { studio_.take_settings_of(item.path); });
  add("library.star", tr("Star"), Qt::Key_S, "star",
      [this](const LibraryItem& item) { studio_.library().set_starred(qt(item.id), !item.starred); });
  add("library.verify", tr("Verify"), Qt::Key_V, "ok",
      [this](const LibraryItem& item) { studio_.verifier().verify(item.path); });
  add("library.compare", tr("Compare two clips"), Qt::Key_B, "compare", [this](const LibraryItem&) { compare(); });
  add("library.folder", tr("Open its folder"), {}, "folder", [](const LibraryItem& item) {
    QDesktopServices::openUrl(QUrl::fromLocalFile(qt(std::filesystem::path(item.path).parent_path())));
  });
  add("library.copy", tr("Copy the path"), Qt::CTRL | Qt::Key_C, "copy",
      [](const LibraryItem& item) { QGuiApplication::clipboard()->setText(qt(item.path)); });
  add("library.command", tr("Copy as command line"), Qt::CTRL | Qt::SHIFT | Qt::Key_C, "command",
      [this](const LibraryItem& item) { copy_command_line(studio_, item.job); });
  add("library.differences", tr("Go to what differs"), Qt::Key_D, "", [this](const LibraryItem&) {
    if (pages_->currentWidget() == compare_) runs_->setFocus();
  });
  add("library.tags", tr("Edit the tags"), Qt::Key_T, "", [this](const LibraryItem&) {
    tags_->setFocus(Qt::ShortcutFocusReason);
    tags_->selectAll();
  });
  add("library.export", tr("Copy into a folder…"), Qt::CTRL | Qt::Key_E, "folder-add",
      [this](const LibraryItem&) { export_chosen(); });
  add("library.trash", tr("Move to the trash"), Qt::Key_Delete, "trash",
      [this](const LibraryItem&) { trash_chosen(); });
  add("library.take_out", tr("Take out of the library"), Qt::CTRL | Qt::Key_Delete, "",
      [this](const LibraryItem& item) {
        studio_.library().take_out(qt(item.id));
        Q_EMIT studio_.said(tr("Taken out of the library; the file stays. Undo brings it back."));
      });
}

QWidget* LibraryView::make_details() {
  auto* page = new QWidget;
  page->setObjectName(QStringLiteral("panel"));
  page->setAttribute(Qt::WA_StyledBackground);
  title_->setObjectName(QStringLiteral("heading"));
  facts_->setObjectName(QStringLiteral("dim"));
  for (auto* label : {title_, prompt_, facts_}) {
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
  }
  auto* buttons = new QVBoxLayout(actions_);
  buttons->setContentsMargins(0, 8, 0, 0);
  buttons->setSpacing(8);
  for (const char* id : {"library.open", "library.settings", "library.report", "library.compare", "library.star"}) {
    auto* action = studio_.commands().find(QLatin1String(id));
    auto* button = new QPushButton(action->icon(), action->text());
    if (qstrcmp(id, "library.open") == 0) {
      button->setObjectName(QStringLiteral("primary"));
      button->setIcon(icon(QStringLiteral("play"), "on_accent"));
    }
    connect(button, &QPushButton::clicked, action, &QAction::trigger);
    if (qstrcmp(id, "library.compare") == 0) compare_button_ = button;
    if (qstrcmp(id, "library.star") == 0)
      connect(action, &QAction::changed, button, [button, action] { button->setText(action->text()); });
    buttons->addWidget(button);
  }
  auto* more = new QPushButton(tr("More"));
  more->setMenu(make_menu(more));
  buttons->addWidget(more);
  auto* layout = new QVBoxLayout(page);
  layout->setContentsMargins(16, 8, 16, 16);
  layout->setSpacing(8);
  layout->addWidget(title_);
  layout->addWidget(prompt_);
  layout->addWidget(facts_);
  layout->addWidget(tags_);
  layout->addWidget(actions_);
  layout->addStretch();
  page->setMinimumWidth(328);
  return page;
}

QString LibraryView::chosen() const { return list_->currentIndex().data(LibraryModel::kIdRole).toString(); }

QStringList LibraryView::all_chosen() const {
  QStringList ids;
  for (const auto& index : list_->selectionModel()->selectedIndexes())
    ids.append(index.data(LibraryModel::kIdRole).toString());
  if (ids.isEmpty() && !chosen().isEmpty()) ids.append(chosen());
  return ids;
}

// What can be done with a clip, beyond what has a button.
QMenu* LibraryView::make_menu(QWidget* parent) {
  auto* menu = new QMenu(parent);
  for (const char* id : {"library.verify", "library.tags", "", "library.copy", "library.command", "library.folder",
                         "library.export", "", "library.trash", "library.take_out"}) {
    if (*id == '\0')
      menu->addSeparator();
    else
      menu->addAction(studio_.commands().find(QLatin1String(id)));
  }
  return menu;
}

void LibraryView::export_chosen() {
  std::vector<std::filesystem::path> clips;
  for (const auto& id : all_chosen())
    if (const auto item = studio_.library().find(id)) clips.emplace_back(item->path);
  auto& settings = studio_.settings();
  const auto last = settings.value(QStringLiteral("export/folder")).toString();
  const auto folder = QFileDialog::getExistingDirectory(
      this, tr("Copy %n clip(s) into", nullptr, static_cast<int>(clips.size())), last);
  if (folder.isEmpty()) return;
  settings.setValue(QStringLiteral("export/folder"), folder);
  Q_EMIT studio_.said(tr("Copying %n clip(s)…", nullptr, static_cast<int>(clips.size())));
  in_background(
      this, [clips, folder] { return guard([&] { return export_clips(clips, path_of(folder)); }); },
      [this, folder](const Result<std::vector<std::filesystem::path>>& copies) {
        if (!copies) return Q_EMIT studio_.told(qt(copies.error().message));
        Q_EMIT studio_.said(
            tr("%n clip(s) copied into %1, with all that is known of them.", nullptr, static_cast<int>(copies->size()))
                .arg(folder));
      });
}

void LibraryView::trash_chosen() {
  if (pages_->currentWidget() == compare_) return;  // there the list is not seen
  const int row = list_->currentIndex().row();
  const int count = studio_.library().move_to_trash(all_chosen());
  if (count == 0) return;
  if (filter_->rowCount() > 0) list_->setCurrentIndex(filter_->index(std::min(row, filter_->rowCount() - 1), 0));
  Q_EMIT studio_.said(tr("%n clip(s) moved to the trash. Undo brings them back.", nullptr, count));
}

void LibraryView::compare() {
  const auto rows = list_->selectionModel()->selectedIndexes();
  if (rows.size() != 2)
    return Q_EMIT studio_.said(tr("Choose two clips to compare: click one, then the other with Ctrl."));
  const auto a = studio_.library().find(rows[0].data(LibraryModel::kIdRole).toString());
  const auto b = studio_.library().find(rows[1].data(LibraryModel::kIdRole).toString());
  if (!a || !b) return;
  studio_.compare().open(a->path, b->path);
  pages_->setCurrentWidget(compare_);
  bar_->hide();
  runs_->open(qt(a->id), qt(b->id));
  side_->setCurrentWidget(runs_);
  dock_->setWindowTitle(tr("What differs"));
  compare_->setFocus();
}

void LibraryView::end_compare() {
  bar_->show();
  pages_->setCurrentIndex(0);
  side_->setCurrentIndex(0);
  dock_->setWindowTitle(tr("Clip"));
  refresh();
  list_->setFocus();
}

// A and B are the same two on the stage and beside it.
void LibraryView::follow_swap() {
  if (pages_->currentWidget() != compare_) return;
  const auto first = studio_.library().find(runs_->first());
  if (first && studio_.compare().file(0) != std::filesystem::path(first->path)) runs_->swap();
}

void LibraryView::refresh() {
  const bool any = studio_.library().rowCount() > 0;
  if (compare_button_ != nullptr) compare_button_->setEnabled(list_->selectionModel()->selectedIndexes().size() == 2);
  if (pages_->currentWidget() != compare_) pages_->setCurrentIndex(!any ? 1 : filter_->rowCount() == 0 ? 2 : 0);
  if (!list_->currentIndex().isValid() && filter_->rowCount() > 0) list_->setCurrentIndex(filter_->index(0, 0));
  const auto item = studio_.library().find(chosen());
  actions_->setVisible(item.has_value());
  prompt_->setVisible(item.has_value());
  facts_->setVisible(item.has_value());
  tags_->setVisible(item.has_value());
  tags_->set_clips(item ? all_chosen() : QStringList());
  if (!item) return title_->setText(tr("No clip is chosen."));
  title_->setText(moment_text(item->added));
  prompt_->setText(qt(item->prompt));
  const QStringList facts{listed({tr("%1 × %2 pixels").arg(item->size.width).arg(item->size.height),
                                  tr("%Ln frame(s) at %1 fps", nullptr, item->frames).arg(item->fps)}),
                          tr("Seed %1").arg(qt(item->seed)), tr("Model %1").arg(qt(item->model)),
                          listed({bytes_text(item->bytes), tr("rendered in %1").arg(seconds_text(item->seconds))}),
                          qt(item->path)};
  facts_->setText(facts.join(QLatin1Char('\n')));
  studio_.commands()
      .find(QStringLiteral("library.star"))
      ->setText(item->starred ? tr("Take the star away") : tr("Star"));
}

}  // namespace rubato::ui
