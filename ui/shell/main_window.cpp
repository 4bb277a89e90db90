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
#include "ui/create/prompt_panel.h"
#include "ui/create/render_desk.h"
#include "ui/create/video_draft.h"
#include "ui/create/video_workspace.h"
#include "ui/models/models_model.h"
#include "ui/queue/queue_model.h"
#include "ui/queue/render_model.h"
#include "ui/shell/command_palette.h"
#include "ui/shell/commands.h"
#include "ui/shell/first_run.h"
#include "ui/shell/shortcuts_dialog.h"
#include "ui/shell/studio.h"
#include "ui/theme/theme.h"
#include "ui/widgets/background.h"
#include "ui/widgets/notice.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {
constexpr int kChangesShown = 6;
const QString kFirstRun = QStringLiteral("first-run");
}  // namespace

MainWindow::MainWindow(Studio& studio, std::vector<WorkspaceSpec> workspaces, QWidget* parent)
    : QMainWindow(parent),
      studio_(studio),
      specs_(std::move(workspaces)),
      stack_(new QStackedWidget),
      notice_(new Notice),
      message_(new QLabel),
      queue_state_(new QLabel) {
  setWindowTitle(QStringLiteral("Rubato"));
  setWindowIcon(icon(QStringLiteral("rubato")));
  setMinimumSize(1024, 700);
  setAcceptDrops(true);
  setContextMenuPolicy(Qt::NoContextMenu);  // of tool bars, which can be hidden by it and never come back
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
  connect(&studio_, &Studio::said, this, &MainWindow::say);
  connect(&studio_, &Studio::told, this, [this](const QString& text) { notice_->show_text(text); });
  connect(&studio_, &Studio::settings_taken, this, [this](const QString& file, const QStringList& changes) {
    auto text = tr("Settings of %1, changed: %2").arg(file).arg(changes.size());
    for (const auto& change : changes.mid(0, kChangesShown)) text += QStringLiteral("\n") + change;
    if (changes.size() > kChangesShown) text += tr("\nand %1 more").arg(changes.size() - kChangesShown);
    const int step = studio_.undo().index();
    notice_->show_text(text, {{tr("Undo"), [this, step] {
                                 // Only this step: what was changed since stays.
                                 if (studio_.undo().index() == step) studio_.undo().undo();
                               }}});
  });
  connect(&studio_, &Studio::workspace_wanted, this, &MainWindow::show_workspace);
  connect(&studio_.queue(), &QueueModel::changed, this, &MainWindow::show_queue_state);
  connect(&studio_.render(), &RenderModel::changed, this, &MainWindow::show_queue_state);

  auto& settings = studio_.settings();
  resize(1280, 800);
  restoreGeometry(settings.value(QStringLiteral("window/geometry")).toByteArray());
  if (settings.value(QStringLiteral("welcomed")).toBool()) {
    const auto last = settings.value(QStringLiteral("window/workspace")).toString();
    show_workspace(switches_.contains(last) ? last : specs_.front().id);
  } else {
    show_first_run();
  }
  make_menus();
  show_queue_state();
}

void MainWindow::make_commands() {
  auto& commands = studio_.commands();
  int number = 1;
  auto* group = new QActionGroup(this);
  for (const auto& spec : specs_) {
    auto* action =
        commands.add({.id = QStringLiteral("go.") + spec.id,
                      .text = spec.title,
                      .group = tr("Go"),
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
                             .group = tr("Edit"),
                             .shortcut = QKeySequence(QKeySequence::Undo),
                             .icon = QStringLiteral("undo"),
                             .help = {}},
                            [&undo] { undo.undo(); });
  auto* again = commands.add({.id = QStringLiteral("edit.redo"),
                              .text = tr("Redo"),
                              .group = tr("Edit"),
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
  const auto add = [&](const char* id, const QString& text, const QString& menu, QKeySequence keys, auto run) {
    return commands.add(
        {.id = QLatin1String(id), .text = text, .group = menu, .shortcut = keys, .icon = {}, .help = {}}, run);
  };
  add("file.outputs", tr("Folder for new clips…"), tr("File"), {}, [this] {
    const auto folder =
        QFileDialog::getExistingDirectory(this, tr("Folder for new clips"), qt(studio_.desk().outputs()));
    if (folder.isEmpty()) return;
    studio_.desk().set_outputs(path_of(folder));
    studio_.settings().setValue(QStringLiteral("outputs"), folder);
    say(tr("New clips go to %1.").arg(folder));
  });
  add("file.settings_of", tr("Take the settings of a file…"), tr("File"), Qt::CTRL | Qt::Key_O, [this] {
    const auto file = QFileDialog::getOpenFileName(this, tr("A clip, picture or job file made by Rubato"));
    if (!file.isEmpty()) studio_.take_settings_of(path_of(file));
  });
  add("file.quit", tr("Quit"), tr("File"), Qt::CTRL | Qt::Key_Q, [this] { close(); });
  add("edit.new", tr("Start with empty settings"), tr("Edit"), Qt::CTRL | Qt::Key_N, [this] {
    VideoJob fresh;
    fresh.model = studio_.draft().job().model;
    studio_.draft().replace(fresh, tr("empty settings"));
  });
  add("view.palette", tr("Find a command…"), tr("View"), Qt::CTRL | Qt::Key_K,
      [this] { (new CommandPalette(studio_.commands(), this))->show(); });
  add("view.shortcuts", tr("Shortcuts…"), tr("View"), Qt::CTRL | Qt::Key_Comma,
      [this] { ShortcutsDialog(studio_.commands(), this).exec(); });
  for (const auto& theme : builtin_themes())
    commands.add({.id = QStringLiteral("view.theme.") + theme.id,
                  .text = tr("Theme: %1").arg(QApplication::translate("Themes", theme.title.toUtf8().constData())),
                  .group = tr("View"),
                  .shortcut = {},
                  .icon = {},
                  .help = {}},
                 [this, id = theme.id] { set_theme(id); });
  add("view.reset", tr("Reset the layout of this page"), tr("View"), {}, [this] {
    const auto id = current_;
    if (qobject_cast<QMainWindow*>(pages_.value(id)) == nullptr) return;
    // The layout that the page had when it was made.
    qobject_cast<QMainWindow*>(pages_[id])->restoreState(delivered_.value(id));
  });
  add("help.control", tr("What is this?"), tr("Help"), Qt::Key_F1, [] {
    auto* at = QApplication::focusWidget();
    if (at == nullptr) return;
    auto text = at->toolTip();
    if (text.isEmpty()) text = at->accessibleDescription();
    if (text.isEmpty()) text = at->accessibleName();
    QToolTip::showText(at->mapToGlobal(QPoint(0, at->height())), text, at, {}, 20'000);
  });
  add("help.welcome", tr("Welcome page"), tr("Help"), {}, [this] { show_first_run(); });
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
  auto* device = new QLabel;
  auto* disk = new QLabel;
  message_->setAccessibleName(tr("Last message"));
  statusBar()->setSizeGripEnabled(false);
  statusBar()->addWidget(message_, 1);
  for (auto* label : {queue_state_, device, disk}) statusBar()->addPermanentWidget(label);
  struct Facts {
    QString device, disk;
  };
  const auto look = [this, device, disk] {
    in_background(
        this,
        [folder = studio_.desk().outputs()] {
          const auto gpus = gpu_count("/dev", std::getenv("CUDA_VISIBLE_DEVICES"));
          Facts facts;
          facts.device =
              gpus.value_or(0) > 0 ? tr("GPUs: %1").arg(*gpus) : tr("CPU, cores: %1").arg(rubato::cpu().cores);
          auto there = folder;
          std::error_code failed;
          while (!std::filesystem::exists(there, failed) && there.has_relative_path()) there = there.parent_path();
          const auto space = std::filesystem::space(there, failed);
          if (!failed) facts.disk = tr("%1 free").arg(bytes_text(space.available));
          return facts;
        },
        [device, disk](const Facts& facts) {
          device->setText(facts.device);
          disk->setText(facts.disk);
        });
  };
  auto* timer = new QTimer(this);
  connect(timer, &QTimer::timeout, this, look);
  timer->start(30'000);
  QTimer::singleShot(0, this, look);
}

void MainWindow::make_menus() {
  // In the order of the groups; a group is made when it has a command.
  QMap<QString, QMenu*> menus;
  for (const auto& name : {tr("File"), tr("Edit"), tr("Create"), tr("Play"), tr("Queue"), tr("Library"), tr("Models"),
                           tr("Go"), tr("View"), tr("Help")}) {
    auto* menu = menuBar()->addMenu(name);
    menu->menuAction()->setVisible(false);
    menus.insert(name, menu);
  }
  const auto put = [menus](const QString& group, QAction* action) {
    auto* menu = menus.value(group);
    if (menu == nullptr) return;
    menu->addAction(action);
    menu->menuAction()->setVisible(true);
  };
  for (const auto& entry : studio_.commands().all()) put(entry.spec.group, entry.action);
  connect(&studio_.commands(), &Commands::added, this, [this, put](QAction* action) {
    // The entry is there by now: it is the last.
    put(studio_.commands().all().back().spec.group, action);
  });
}

void MainWindow::show_workspace(const QString& id) {
  const auto spec = std::find_if(specs_.begin(), specs_.end(), [&](const WorkspaceSpec& s) { return s.id == id; });
  if (spec == specs_.end()) return;
  if (!pages_.contains(id)) {
    auto* page = spec->make(studio_);
    page->setObjectName(QStringLiteral("page.") + id);
    pages_.insert(id, page);
    stack_->addWidget(page);
    if (auto* docks = qobject_cast<QMainWindow*>(page)) {
      delivered_.insert(id, docks->saveState());
      docks->restoreState(studio_.settings().value(QStringLiteral("layout/") + id).toByteArray());
    }
  }
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
  message_->setText(one_line(text, 160));
  message_->setToolTip(text);
}

void MainWindow::show_queue_state() {
  const auto& queue = studio_.queue();
  const int waiting = queue.waiting();
  QString text = studio_.render().running() ? tr("Rendering") : queue.paused() ? tr("Queue paused") : tr("Idle");
  if (waiting > 0) text += tr(", %1 waiting").arg(waiting);
  queue_state_->setText(text);
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
