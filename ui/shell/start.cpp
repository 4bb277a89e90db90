#include "ui/shell/start.h"

#include <fcntl.h>
#include <unistd.h>

#include <QApplication>
#include <QCommandLineParser>
#include <QMessageBox>
#include <QSocketNotifier>
#include <QStandardPaths>
#include <QThreadPool>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "engine/base/version.h"
#include "pipelines/job/media_file.h"
#include "pipelines/job/places.h"
#include "pipelines/job/queue/hand_over.h"
#include "ui/create/draft_check.h"
#include "ui/languages/language.h"
#include "ui/queue/queue_model.h"
#include "ui/queue/runner_engine.h"
#include "ui/shell/main_window.h"
#include "ui/shell/studio.h"
#include "ui/theme/theme.h"
#include "ui/widgets/engine_text.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace fs = std::filesystem;
namespace {

constexpr std::chrono::seconds kPatience{8};  // for a step to end when the window closes

// As --data-dir of rubato-cli: the environment carries it to the worker as well.
void move_folders(const fs::path& root) {
  for (const auto& [variable, name] : {std::pair{"XDG_CONFIG_HOME", "config"},
                                       {"XDG_DATA_HOME", "data"},
                                       {"XDG_STATE_HOME", "state"},
                                       {"XDG_CACHE_HOME", "cache"}})
    ::setenv(variable, (root / name).c_str(), 1);
}

fs::path window_socket(const UserFolders& user) { return user.state / "window.sock"; }

// Asks the instance that is there to show itself, and to take the settings of `file` ("" = none).
bool hand_over_to_first(const UserFolders& user, const std::string& file) {
  return hand_over(window_socket(user), {{"version", kHandOverVersion}, {"request", "show"}, {"file", file}}, 5).ok();
}

// Takes such requests on a thread of its own, and carries them out on the window's.
Result<HandOverServer> listen_for_others(const UserFolders& user, MainWindow& window, Studio& studio) {
  return HandOverServer::listen(
      window_socket(user), [&window, &studio](const nlohmann::json& request) -> Result<nlohmann::json> {
        if (request.value("request", "") != "show") return Error{ErrorCode::Usage, "the window takes only 'show'"};
        const auto file =
            request.contains("file") && request["file"].is_string() ? request["file"].get<std::string>() : "";
        QMetaObject::invokeMethod(
            &window,
            [&window, &studio, file] {
              window.showNormal();
              window.raise();
              window.activateWindow();
              if (!file.empty()) studio.take_settings_of(file);
            },
            Qt::QueuedConnection);
        return nlohmann::json::object();
      });
}

// SIGTERM and SIGINT (logging out, Ctrl-C in a terminal) close the window as a person does, so that the queue is left
// in order. A handler may only write; the other end is read in the event loop.
int signal_pipe[2] = {-1, -1};

void on_signal(int) {
  const char byte = 0;
  (void)!::write(signal_pipe[1], &byte, 1);
}

void close_on_signals(MainWindow& window) {
  if (::pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return;
  auto* notifier = new QSocketNotifier(signal_pipe[0], QSocketNotifier::Read, &window);
  QObject::connect(notifier, &QSocketNotifier::activated, &window, [notifier, &window] {
    notifier->setEnabled(false);
    window.close();
  });
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) std::signal(number, on_signal);
}

int refuse(const Error& error) {
  std::fprintf(stderr, "rubato: %s\n", error.message.c_str());
  QMessageBox::critical(nullptr, QStringLiteral("Rubato"), for_window(error.message));
  return exit_code(error.code);
}

}  // namespace

StudioOptions outside_world(const UserFolders& user) {
  StudioOptions options;
  options.user = user;
  const auto videos = QStandardPaths::writableLocation(QStandardPaths::MoviesLocation);
  options.outputs = path_of(videos) / "Rubato";
  options.clips = media_source();
  options.thumbnails = media_thumbnails(user.cache);
  options.rubato_cli = sister_program("rubato-cli");
  options.scan = user_scan(user);
  options.judge = machine_judge(user);
  options.recorded_job = [user](const fs::path& file) -> Result<VideoJob> {
    const auto extension = file.extension();
    if (extension == ".yaml" || extension == ".yml" || extension == ".json") return read_video_job(file);
    RUBATO_TRY(facts, look_at(file));
    if (facts.metadata.is_null()) return Error{ErrorCode::CannotRead, facts.no_metadata};
    RUBATO_TRY(where, model_folders(user));
    return recorded_job(facts.metadata, file.string(), where);
  };
  options.metadata = [](const fs::path& file) -> Result<nlohmann::json> {
    RUBATO_TRY(facts, look_at(file));
    return std::move(facts.metadata);
  };
  return options;
}

int run_studio(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  QApplication application(argc, argv);
  QApplication::setApplicationName(QStringLiteral("rubato"));
  QApplication::setApplicationVersion(QString::fromLatin1(kVersion));
  QApplication::setDesktopFileName(QStringLiteral("rubato"));
  apply_language(application, {});  // of the system, until the settings are found
  QCommandLineParser parser;
  parser.setApplicationDescription(Studio::tr("The studio of Rubato: clips from a sentence, on your own machine."));
  parser.addHelpOption();
  parser.addVersionOption();
  const QCommandLineOption data(QStringLiteral("data-dir"),
                                Studio::tr("Keep settings, queue and library in this folder"), QStringLiteral("DIR"));
  parser.addOption(data);
  parser.addPositionalArgument(QStringLiteral("FILE"),
                               Studio::tr("A clip made by Rubato, or a job file: take its settings"),
                               QStringLiteral("[FILE]"));
  parser.process(application);

  if (parser.isSet(data)) move_folders(fs::absolute(path_of(parser.value(data))));
  const auto user = UserFolders::from_environment();
  const auto files = parser.positionalArguments();
  const auto file = files.isEmpty() ? std::string() : fs::absolute(path_of(files.first())).string();
  auto engine = RunnerEngine::open(user.state);
  if (!engine && engine.error().code == ErrorCode::Locked && hand_over_to_first(user, file)) return 0;
  if (!engine) return refuse(engine.error());
  auto& runner = **engine;
  auto options = outside_world(user);
  options.engine = std::move(*engine);
  auto made = Studio::create(std::move(options));
  if (!made) return refuse(made.error());
  auto& studio = **made;
  apply_language(application, studio.settings().value(QStringLiteral("language")).toString());
  apply_theme(application, theme_named(studio.settings().value(QStringLiteral("theme")).toString()));
  MainWindow window(studio, builtin_workspaces());
  window.show();
  close_on_signals(window);
  // A queue that was left in disorder waits for a person; an empty one has nothing to wait for.
  if (auto& queue = studio.queue(); queue.paused() && queue.waiting() == 0 && !queue.pause_reason().isEmpty())
    queue.resume();
  else
    window.tell(runner.notes());
  const auto others = listen_for_others(user, window, studio);  // without it a second instance says who is first
  // What is slow begins when the window is there.
  QMetaObject::invokeMethod(
      &studio,
      [&] {
        runner.start();
        studio.models().rescan();
        if (!file.empty()) studio.take_settings_of(file);
      },
      Qt::QueuedConnection);
  const int code = QApplication::exec();
  runner.shut_down(kPatience);
  QThreadPool::globalInstance()->waitForDone();
  return code;
}

}  // namespace rubato::ui
