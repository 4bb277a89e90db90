// One session of the window with the real engine, in folders of its own; for the journeys.
#pragma once

#include <QDir>
#include <QSignalSpy>
#include <QThreadPool>

#include "tests/gui/fake_engine.h"
#include "ui/create/draft_check.h"
#include "ui/create/prompt_panel.h"
#include "ui/create/render_desk.h"
#include "ui/create/render_panel.h"
#include "ui/create/settings_form.h"
#include "ui/create/video_draft.h"
#include "ui/create/video_workspace.h"
#include "ui/queue/queue_model.h"
#include "ui/queue/render_model.h"
#include "ui/queue/runner_engine.h"
#include "ui/shell/commands.h"
#include "ui/shell/main_window.h"
#include "ui/shell/start.h"
#include "ui/stage/player.h"
#include "ui/stage/stage.h"
#include "ui/widgets/notice.h"

namespace rubato::test {

inline constexpr int kRender = 180'000;  // ms; a busy machine is allowed for

struct Session {
  explicit Session(const std::filesystem::path& home) {
    const UserFolders user{home / "config", home / "data", home / "state", home / "cache"};
    std::filesystem::create_directories(user.state);
    auto opened =
        ui::RunnerEngine::open(user.state, {.executable = std::filesystem::path(RUBATO_BIN_DIR) / "rubato-worker"});
    EXPECT_TRUE(opened.ok()) << (opened.ok() ? "" : opened.error().message);
    engine = opened->get();
    auto options = ui::outside_world(user);
    options.outputs = home / "clips";
    options.rubato_cli = std::filesystem::path(RUBATO_BIN_DIR) / "rubato-cli";
    options.engine = std::move(*opened);
    studio = std::move(ui::Studio::create(std::move(options)).value());
    window = std::make_unique<ui::MainWindow>(*studio, ui::builtin_workspaces());
    window->resize(1280, 800);
    window->show();
    EXPECT_TRUE(QTest::qWaitForWindowActive(window.get()));
    engine->start();
    studio->models().rescan();
  }
  ~Session() {
    window->close();
    engine->shut_down(std::chrono::seconds(8));
    QThreadPool::globalInstance()->waitForDone();
  }

  ui::VideoWorkspace* video() { return qobject_cast<ui::VideoWorkspace*>(window->page(QStringLiteral("video"))); }
  void picture(const char* name) {
    QDir().mkpath(QStringLiteral(RUBATO_BIN_DIR "/../screenshots"));
    EXPECT_TRUE(
        window->grab().save(QStringLiteral(RUBATO_BIN_DIR "/../screenshots/journey-%1.png").arg(QLatin1String(name))));
  }
  bool ready() {
    return wait_until([&] { return studio->desk().can_render(); });
  }

  ui::RunnerEngine* engine = nullptr;
  std::unique_ptr<ui::Studio> studio;
  std::unique_ptr<ui::MainWindow> window;
};

}  // namespace rubato::test
