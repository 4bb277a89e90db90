#include "ui/shell/main_window.h"

#include <QActionGroup>
#include <QApplication>
#include <QCloseEvent>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QMenuBar>
#include <QMimeData>
#include <QSettings>
#include <QStackedWidget>
#include <QStandardPaths>
#include <QStatusBar>
#include <QTimer>
#include <QToolBar>
#include <QToolButton>
#include <QToolTip>
#include <QUndoStack>
#include <QUrl>
#include <QVBoxLayout>
#include <filesystem>

#include "pipelines/job/capacity.h"
#include "pipelines/job/machine.h"
#include "ui/create/draft_check.h"
#include "ui/create/prompt_panel.h"
#include "ui/create/render_desk.h"
#include "ui/create/video_draft.h"
#include "ui/create/video_workspace.h"
#include "ui/models/models_model.h"
#include "ui/preferences/preferences_dialog.h"
#include "ui/queue/queue_model.h"
#include "ui/queue/render_model.h"
#include "ui/shell/command_palette.h"
#include "ui/shell/commands.h"
#include "ui/shell/first_run.h"
#include "ui/shell/shortcuts_dialog.h"
#include "ui/shell/studio.h"
#include "ui/theme/theme.h"
#include "ui/widgets/background.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/notice.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {
constexpr int kChangesShown = 6;
constexpr int kIdle = 400;  // ms after the window has come
const QString kFirstRun = QStringLiteral("first-run");
}  // namespace

MainWindow::MainWindow(Studio& studio, std::vector<WorkspaceSpec> workspaces, QWidget* parent)
    : QMainWindow(parent), studio_(studio), specs_(std::move(workspaces)), notice_(new Notice) {
  setWindowTitle(QStringLiteral("Rubato"));
  setWindowIcon(icon(QStringLiteral("rubato")));
  setMinimumSize(1024, 700);
  setAcceptDrops(true);
  setContextMenuPolicy(Qt::NoContextMenu);  // of tool bars, which can be hidden by it and never come back
  connect(&studio_, &Studio::said, this, &MainWindow::say);
  connect(&studio_, &Studio::told, this, [this](const QString& text) { notice_->show_text(text); });
  connect(&studio_, &Studio::settings_taken, this, [this](const QString& file, const QStringList& changes) {
    const auto count = static_cast<int>(changes.size());
    QStringList lines{tr("Settings of %1: %n change(s)", nullptr, count).arg(file)};
    lines += changes.mid(0, kChangesShown);
    if (count > kChangesShown) lines += tr("and %n more", nullptr, count - kChangesShown);
    const int step = studio_.undo().index();
    notice_->show_text(lines.join(QLatin1Char('\n')), {{tr("Undo"), [this, step] {
                                                          // Only this step: what was changed since stays.
                                                          if (studio_.undo().index() == step) studio_.undo().undo();
                                                        }}});
  });
  connect(&studio_, &Studio::workspace_wanted, this, &MainWindow::show_workspace);
  connect(&studio_.queue(), &QueueModel::changed, this, &MainWindow::show_queue_state);
  connect(&studio_.render(), &RenderModel::changed, this, &MainWindow::show_queue_state);

  idle_.setSingleShot(true);
  connect(&idle_, &QTimer::timeout, this, &MainWindow::make_next_page);
  language_.setSingleShot(true);
  connect(&language_, &QTimer::timeout, this, &MainWindow::speak_anew);
  build();
  auto& settings = studio_.settings();
  resize(1280, 800);
  restoreGeometry(settings.value(QStringLiteral("window/geometry")).toByteArray());
  if (settings.value(QStringLiteral("welcomed")).toBool()) {
    const auto last = settings.value(QStringLiteral("window/workspace")).toString();
    show_workspace(switches_.contains(last) ? last : specs_.front().id);
  } else {
    show_first_run();
  }
}

void MainWindow::build() {
  stack_ = new QStackedWidget;
  auto* centre = new QWidget;
  auto* layout = new QVBoxLayout(centre);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  auto* inset = new QVBoxLayout;
  inset->setContentsMargins(8, 0, 8, 0);
  inset->addWidget(notice_);
  layout->addLayout(inset);
  layout->addWidget(stack_, 1);
  setCentralWidget(centre);
  studio_.commands().attach(this);
  make_commands();
  make_bar();
  make_status();
  make_menus();
  show_queue_state();
}

void MainWindow::take_down() {
  idle_.stop();
  const bool told = notice_->isVisibleTo(this);
  notice_->setParent(this);  // what it says stays
  notice_->setHidden(!told);
  delete takeCentralWidget();  // the pages, and what they listen to
  pages_.clear();
  delivered_.clear();
  delete findChild<QToolBar*>(QStringLiteral("workspaceBar"), Qt::FindDirectChildrenOnly);
  delete menuBar();
  delete statusBar();
  disconnect(&studio_.commands(), nullptr, this, nullptr);
  disconnect(&studio_.undo(), nullptr, this, nullptr);
  studio_.commands().clear();
  switches_.clear();
}

void MainWindow::speak_anew() {
  const auto here = current_, said = message_->text();
  keep_layout();
  take_down();
  build();
  message_->setText(said);
  here == kFirstRun ? show_first_run() : show_workspace(here);
  studio_.check().check_again();  // what it says of the settings
  idle_.start(kIdle);
}

void MainWindow::changeEvent(QEvent* event) {
  // Not now: the event is on its way to the children that are taken down.
  if (event->type() == QEvent::LanguageChange) language_.start(0);
  QMainWindow::changeEvent(event);
}

void MainWindow::showEvent(QShowEvent* event) {
  QMainWindow::showEvent(event);
  idle_.start(kIdle);
}

void MainWindow::make_commands() {
  auto& commands = studio_.commands();
  int number = 1;
  auto* group = new QActionGroup(centralWidget());
  for (const auto& spec : specs_) {
    auto* action =
        commands.add({.id = QStringLiteral("go.") + spec.id,
                      .text = spec.title,
                      .menu = Menu::Go,
                      .shortcut = number < 10 ? QKeySequence(Qt::ALT | (Qt::Key_0 + number)) : QKeySequence(),
                      .icon = spec.icon,
                      .help = {},
                      .checkable = true},
                     [this, id = spec.id] { show_workspace(id); });
    group->addAction(action);
    switches_.insert(spec.id, action);
    ++number;
  }
  auto& undo = studio_.undo();
  auto* back = commands.add({.id = QStringLiteral("edit.undo"),
                             .text = tr("Undo"),
                             .menu = Menu::Edit,
                             .shortcut = QKeySequence(QKeySequence::Undo),
                             .icon = QStringLiteral("undo"),
                             .help = {}},
                            [&undo] { undo.undo(); });
  auto* again = commands.add({.id = QStringLiteral("edit.redo"),
                              .text = tr("Redo"),
                              .menu = Menu::Edit,
                              .shortcut = Qt::CTRL | Qt::SHIFT | Qt::Key_Z,
                              .icon = QStringLiteral("redo"),
                              .help = {}},
                             [&undo] { undo.redo(); });
  const auto follow = [back, again, &undo] {
    back->setEnabled(undo.canUndo());
    again->setEnabled(undo.canRedo());
    back->setText(undo.canUndo() ? tr("Undo %1").arg(undo.undoText()) : tr("Undo"));
    again->setText(undo.canRedo() ? tr("Redo %1").arg(undo.redoText()) : tr("Redo"));
  };
  connect(&undo, &QUndoStack::indexChanged, this, follow);
  follow();
  make_own_commands();
}

void MainWindow::make_own_commands() {
  auto& commands = studio_.commands();
  const auto add = [&](const char* id, const QString& text, Menu menu, QKeySequence keys, auto run) {
    return commands.add({.id = QLatin1String(id), .text = text, .menu = menu, .shortcut = keys, .icon = {}, .help = {}},
                        run);
  };
  add("file.outputs", tr("Folder for new clips…"), Menu::File, {}, [this] {
    const auto folder =
        QFileDialog::getExistingDirectory(this, tr("Folder for new clips"), qt(studio_.desk().outputs()));
    if (folder.isEmpty()) return;
    studio_.desk().set_outputs(path_of(folder));
    studio_.settings().setValue(QStringLiteral("outputs"), folder);
    say(tr("New clips go to %1.").arg(folder));
  });
  add("file.settings_of", tr("Take the settings of a file…"), Menu::File, Qt::CTRL | Qt::Key_O, [this] {
    const auto file = QFileDialog::getOpenFileName(this, tr("A clip, picture or job file made by Rubato"));
    if (!file.isEmpty()) studio_.take_settings_of(path_of(file));
  });
  add("file.quit", tr("Quit"), Menu::File, Qt::CTRL | Qt::Key_Q, [this] { close(); });
  add("edit.new", tr("Start with empty settings"), Menu::Edit, Qt::CTRL | Qt::Key_N, [this] {
    VideoJob fresh;
    fresh.model = studio_.draft().job().model;
    studio_.draft().replace(fresh, tr("empty settings"));
  });
  add("edit.preferences", tr("Preferences…"), Menu::Edit, Qt::CTRL | Qt::Key_Comma, [this] { open_preferences(); });
  add("view.palette", tr("Find a command…"), Menu::View, Qt::CTRL | Qt::Key_K, [this] { open_palette(); });
  add("view.shortcuts", tr("Shortcuts…"), Menu::View, Qt::CTRL | Qt::SHIFT | Qt::Key_K, [this] {
    make_all_pages();
    ShortcutsDialog(studio_.commands(), this).exec();
  });
  for (const auto& theme : builtin_themes())
    commands.add({.id = QStringLiteral("view.theme.") + theme.id,
                  .text = tr("Theme: %1").arg(theme.title),
                  .menu = Menu::View,
                  .shortcut = {},
                  .icon = {},
                  .help = {}},
                 [this, id = theme.id] { set_theme(id); });
  add("view.reset", tr("Reset the layout of this page"), Menu::View, {}, [this] {
    const auto id = current_;
    if (qobject_cast<QMainWindow*>(pages_.value(id)) == nullptr) return;
    // The layout that the page had when it was made.
    qobject_cast<QMainWindow*>(pages_[id])->restoreState(delivered_.value(id));
  });
  add("help.control", tr("What is this?"), Menu::Help, Qt::Key_F1, [] {
    auto* at = QApplication::focusWidget();
    if (at == nullptr) return;
    auto text = at->toolTip();
    if (text.isEmpty()) text = at->accessibleDescription();
    if (text.isEmpty()) text = at->accessibleName();
    QToolTip::showText(at->mapToGlobal(QPoint(0, at->height())), text, at, {}, 20'000);
  });
  add("help.welcome", tr("Welcome page"), Menu::Help, {}, [this] { show_first_run(); });
}

void MainWindow::make_bar() {
  auto* bar = new QToolBar(tr("Workspaces"));
  bar->setObjectName(QStringLiteral("workspaceBar"));
  bar->setMovable(false);
  bar->setFloatable(false);
  bar->setIconSize({20, 20});
  bar->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  for (const auto& spec : specs_) bar->addAction(switches_[spec.id]);
  auto* space = new QWidget;
  space->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
  bar->addWidget(space);
  bar->addAction(studio_.commands().find(QStringLiteral("view.palette")));
  addToolBar(bar);
  for (auto* action : bar->actions())
    if (auto* button = qobject_cast<QToolButton*>(bar->widgetForAction(action))) {
      button->setAccessibleName(action->text());
      button->setFocusPolicy(Qt::TabFocus);
    }
}

void MainWindow::make_status() {
  message_ = new ElidedLabel;
  queue_state_ = new QLabel;
  auto* device = new QLabel;
  auto* disk = new QLabel;
  message_->setAccessibleName(tr("Last message"));
  auto* bar = statusBar();
  bar->setSizeGripEnabled(false);
  bar->addWidget(message_, 1);
  for (auto* label : {queue_state_, device, disk}) bar->addPermanentWidget(label);
  struct Facts {
    int gpus = 0, cores = 0;
    std::optional<std::uintmax_t> free;
  };
  const auto look = [this, bar, device, disk] {
    in_background(
        bar,
        [folder = studio_.desk().outputs()] {
          Facts facts{gpu_count("/dev", std::getenv("CUDA_VISIBLE_DEVICES")).value_or(0), rubato::cpu().cores, {}};
          auto there = folder;
          std::error_code failed;
          while (!std::filesystem::exists(there, failed) && there.has_relative_path()) there = there.parent_path();
          const auto space = std::filesystem::space(there, failed);
          if (!failed) facts.free = space.available;
          return facts;
        },
        [device, disk](const Facts& facts) {
          device->setText(facts.gpus > 0 ? tr("%n GPU(s)", nullptr, facts.gpus)
                                         : tr("CPU, %n core(s)", nullptr, facts.cores));
          disk->setText(facts.free ? tr("%1 free").arg(bytes_text(*facts.free)) : QString());
        });
  };
  auto* timer = new QTimer(bar);
  connect(timer, &QTimer::timeout, this, look);
  timer->start(30'000);
  QTimer::singleShot(0, bar, look);
}

void MainWindow::make_menus() {
  // A menu is seen when it has a command.
  std::vector<QMenu*> menus;
  for (int i = 0; i < kMenus; ++i) {
    menus.push_back(menuBar()->addMenu(menu_title(static_cast<Menu>(i))));
    menus.back()->menuAction()->setVisible(false);
  }
  const auto put = [menus](const Commands::Entry& entry) {
    auto* menu = menus[static_cast<std::size_t>(entry.spec.menu)];
    menu->addAction(entry.action);
    menu->menuAction()->setVisible(true);
  };
  for (const auto& entry : studio_.commands().all()) put(entry);
  // The entry is there by now: it is the last.
  connect(&studio_.commands(), &Commands::added, this, [this, put] { put(studio_.commands().all().back()); });
}

QWidget* MainWindow::make_page(const WorkspaceSpec& spec) {
  if (auto* made = pages_.value(spec.id)) return made;
  auto* page = spec.make(studio_);
  page->setObjectName(QStringLiteral("page.") + spec.id);
  pages_.insert(spec.id, page);
  stack_->addWidget(page);
  if (auto* docks = qobject_cast<QMainWindow*>(page)) {
    delivered_.insert(spec.id, docks->saveState());
    docks->restoreState(studio_.settings().value(QStringLiteral("layout/") + spec.id).toByteArray());
  }
  return page;
}

// One at a time, so that no key press waits for more than one.
void MainWindow::make_next_page() {
  for (const auto& spec : specs_) {
    if (pages_.contains(spec.id)) continue;
    make_page(spec);
    return idle_.start(0);
  }
}

void MainWindow::make_all_pages() {
  for (const auto& spec : specs_) make_page(spec);
}

// From the palette. A command of a page that is not in sight brings the page first, and where it acts on what is chosen
// there it stays at that: nothing happens to what one does not see.
void MainWindow::run_command(const QString& id) {
  for (const auto& entry : studio_.commands().all()) {
    if (entry.spec.id != id || !entry.action) continue;
    const auto* scope = entry.spec.scope;
    const bool in_sight = scope == nullptr || scope->isVisible();
    if (!in_sight)
      for (auto it = pages_.begin(); it != pages_.end(); ++it)
        if (it.value() == scope || it.value()->isAncestorOf(scope)) {
          show_workspace(it.key());
          break;
        }
    if (in_sight || !entry.spec.on_choice) entry.action->trigger();
    return;
  }
}

void MainWindow::open_palette() {
  make_all_pages();
  auto* palette = new CommandPalette(studio_.commands(), this);
  // After the palette has gone, so that what opens next is not closed with it.
  connect(palette, &CommandPalette::chosen, this, &MainWindow::run_command, Qt::QueuedConnection);
  palette->show();
}

void MainWindow::open_preferences() {
  auto* dialog = new PreferencesDialog(studio_.settings(), this);
  connect(dialog, &PreferencesDialog::theme_chosen, this, &MainWindow::set_theme);
  connect(dialog, &PreferencesDialog::shortcuts_wanted, this,
          [this] { studio_.commands().find(QStringLiteral("view.shortcuts"))->trigger(); });
  dialog->open();
}

void MainWindow::show_workspace(const QString& id) {
  const auto spec = std::find_if(specs_.begin(), specs_.end(), [&](const WorkspaceSpec& s) { return s.id == id; });
  if (spec == specs_.end()) return;
  make_page(*spec);
  stack_->setCurrentWidget(pages_[id]);
  pages_[id]->setFocus();  // its first place, by proxy
  switches_[id]->setChecked(true);
  current_ = id;
  studio_.settings().setValue(QStringLiteral("window/workspace"), id);
}

void MainWindow::show_first_run() {
  auto* page = qobject_cast<FirstRun*>(pages_.value(kFirstRun));
  if (page == nullptr) {
    page = new FirstRun;
    pages_.insert(kFirstRun, page);
    stack_->addWidget(page);
    const auto begin = [this](const QString& id) {
      studio_.settings().setValue(QStringLiteral("welcomed"), true);
      show_workspace(id);
    };
    connect(page, &FirstRun::look_wanted, this, [begin] { begin(QStringLiteral("video")); });
    connect(page, &FirstRun::practice_wanted, this, [this, begin] {
      begin(QStringLiteral("video"));
      (void)studio_.draft().set("model", {});
      // A first sentence that is known to work, ready to be rendered or changed.
      if (studio_.draft().text("prompt").isEmpty())
        (void)studio_.draft().set("prompt", QStringLiteral("a small cyan ring circles around in a forest"));
      if (auto* video = qobject_cast<VideoWorkspace*>(pages_[QStringLiteral("video")]))
        video->prompt()->prompt()->setFocus();
    });
    connect(page, &FirstRun::folder_wanted, this, [this, begin] {
      begin(QStringLiteral("models"));
      if (auto* add = studio_.commands().find(QStringLiteral("models.add"))) add->trigger();
    });
  }
  current_ = kFirstRun;
  for (auto* action : switches_) {
    action->actionGroup()->setExclusive(false);
    action->setChecked(false);
    action->actionGroup()->setExclusive(true);
  }
  stack_->setCurrentWidget(page);
  page->setFocus();
}

void MainWindow::tell(const QStringList& notes) {
  if (notes.isEmpty()) return;
  std::vector<Notice::Choice> choices;
  if (studio_.queue().paused() && studio_.queue().waiting() > 0) {
    choices.push_back({tr("Go on"), [this] { studio_.queue().resume(); }});
    choices.push_back({tr("Look at the queue"), [this] { show_workspace(QStringLiteral("queue")); }});
  }
  // They are written to stand behind a program's name; here each is a sentence of its own.
  QStringList sentences;
  for (auto note : notes) {
    if (!note.isEmpty()) note[0] = note[0].toUpper();
    sentences.append(note.endsWith(QLatin1Char('.')) ? note : note + QLatin1Char('.'));
  }
  notice_->show_text(sentences.join(QLatin1Char('\n')), std::move(choices));
}

void MainWindow::set_theme(const QString& id) {
  apply_theme(*qApp, theme_named(id));
  studio_.settings().setValue(QStringLiteral("theme"), id);
  for (auto* widget : qApp->allWidgets()) widget->update();
}

void MainWindow::say(const QString& text) {
  message_->setText(text.simplified());
  message_->setToolTip(text);
}

void MainWindow::show_queue_state() {
  const auto& queue = studio_.queue();
  const int waiting = queue.waiting();
  QStringList parts{studio_.render().running() ? tr("Rendering") : queue.paused() ? tr("Queue paused") : tr("Idle")};
  if (waiting > 0) parts += tr("%Ln waiting", nullptr, waiting);
  queue_state_->setText(listed(parts));
}

void MainWindow::keep_layout() {
  auto& settings = studio_.settings();
  settings.setValue(QStringLiteral("window/geometry"), saveGeometry());
  for (auto it = pages_.begin(); it != pages_.end(); ++it)
    if (auto* docks = qobject_cast<QMainWindow*>(it.value()))
      settings.setValue(QStringLiteral("layout/") + it.key(), docks->saveState());
  settings.sync();
}

void MainWindow::closeEvent(QCloseEvent* event) {
  keep_layout();
  QMainWindow::closeEvent(event);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  if (event->mimeData()->hasUrls() && event->mimeData()->urls().first().isLocalFile()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
  // Only fills in settings: nothing is started, and where clips go stays as it is.
  studio_.take_settings_of(path_of(event->mimeData()->urls().first().toLocalFile()));
  event->acceptProposedAction();
}

}  // namespace rubato::ui
