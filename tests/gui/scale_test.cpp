// How quick the window is with much in it. The times are printed; what is asserted is far above them, so that a busy
// machine does not fail, and far below what one would notice as standing still.
#include <gtest/gtest.h>

#include <QElapsedTimer>
#include <QListView>
#include <QProcess>
#include <QScrollBar>
#include <algorithm>

#include "pipelines/job/queue/sqlite.h"
#include "tests/gui/fake_engine.h"
#include "ui/shell/main_window.h"
#include "ui/stage/player.h"

namespace rubato::ui {
namespace {

using test::wait_until;

struct Times {
  std::vector<double> ms;
  double at(double share) {
    std::sort(ms.begin(), ms.end());
    return ms[std::min(ms.size() - 1, static_cast<std::size_t>(share * static_cast<double>(ms.size())))];
  }
};

TEST(Scale, TenThousandClipsScroll) {
  auto folder = std::make_shared<test::TempFolder>();
  std::filesystem::create_directories(*folder / "state");
  {
    ASSERT_TRUE(LibraryStore::open(library_file(*folder / "state")).ok());
    const auto database = sqlite::Database::open(library_file(*folder / "state"), sqlite::Mode::Write);
    ASSERT_TRUE(database.ok());
    ASSERT_TRUE(
        database
            ->run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) "
                  "INSERT INTO items(id, path, title, prompt, model, seed, width, height, frames, fps, seconds, "
                  "bytes, added, starred, job, frames_sha256) SELECT printf('id%06d', i), printf('/clips/%d.mp4', i), "
                  "printf('a small cyan ring number %d circles around in a forest', i), 'a prompt', "
                  "'practice-video', '7', "
                  "128, 128, 65, 16, 8.5, 46000, i, i % 7 = 0, '{}', '' FROM n")
            .ok());
  }
  test::FakeStudio fake(folder, 20);
  auto& studio = *fake.studio;
  ASSERT_EQ(studio.library().rowCount(), 10'000);
  studio.settings().setValue(QStringLiteral("welcomed"), true);
  MainWindow window(studio, builtin_workspaces());
  window.resize(1280, 800);
  window.show();
  ASSERT_TRUE(QTest::qWaitForWindowExposed(&window));
  window.show_workspace(QStringLiteral("library"));
  auto* clips = window.findChild<QListView*>(QStringLiteral("clips"));
  ASSERT_NE(clips, nullptr);
  auto* bar = clips->verticalScrollBar();
  ASSERT_TRUE(wait_until([&] { return bar->maximum() > 200'000; }));  // all of it is laid out
  Times frames;
  for (int i = 0; i < 100; ++i) {
    QElapsedTimer timer;
    timer.start();
    bar->setValue(i * (bar->maximum() / 100));
    clips->viewport()->repaint();
    frames.ms.push_back(static_cast<double>(timer.nsecsElapsed()) / 1e6);
    QCoreApplication::processEvents();
  }
  RecordProperty("frame_ms_median", std::to_string(frames.at(0.5)));
  RecordProperty("frame_ms_95", std::to_string(frames.at(0.95)));
  EXPECT_LT(frames.at(0.5), 100) << "95 %: " << frames.at(0.95);
}

TEST(Scale, AClipOfFullHdStepsAndSeeks) {
  if (RUBATO_TEST_ENGINE == 0) GTEST_SKIP() << "this build has no worker or no media";
  const test::TempFolder folder;
  const auto clip = folder / "clip.mp4";
  // As our own files: a key frame at least every second.
  ASSERT_EQ(
      QProcess::execute(QStringLiteral("ffmpeg"),
                        {QStringLiteral("-v"), QStringLiteral("error"), QStringLiteral("-f"), QStringLiteral("lavfi"),
                         QStringLiteral("-i"), QStringLiteral("testsrc2=size=1920x1080:rate=24"), QStringLiteral("-t"),
                         QStringLiteral("4"), QStringLiteral("-g"), QStringLiteral("24"), QStringLiteral("-pix_fmt"),
                         QStringLiteral("yuv420p"), QStringLiteral("-preset"), QStringLiteral("ultrafast"),
                         QString::fromStdString(clip.string())}),
      0);
  Player player(media_source(std::filesystem::path(RUBATO_BIN_DIR) / "rubato-media"));
  player.open(clip);
  ASSERT_TRUE(wait_until([&] { return player.is_open() && player.frames().has(0); }, 60'000));
  player.stop();
  const auto time_to = [&](int frame) {
    QElapsedTimer timer;
    timer.start();
    player.seek(frame);
    EXPECT_TRUE(wait_until([&] { return player.frames().has(frame); }, 60'000)) << frame;
    return static_cast<double>(timer.nsecsElapsed()) / 1e6;
  };
  const double seek = time_to(70);  // the first look at that part
  ASSERT_TRUE(wait_until([&] { return player.frames().has(79); }, 60'000));
  Times steps;
  for (int frame = 64; frame < 80; ++frame) steps.ms.push_back(time_to(frame));
  RecordProperty("seek_ms", std::to_string(seek));
  RecordProperty("step_ms_95", std::to_string(steps.at(0.95)));
  EXPECT_LT(seek, 10'000);
  EXPECT_LT(steps.at(0.95), 200);
}

}  // namespace
}  // namespace rubato::ui
