#include "ui/stage/compare_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QListView>
#include <QPushButton>
#include <QSignalSpy>
#include <cmath>

#include "tests/gui/fake_engine.h"
#include "ui/create/video_draft.h"
#include "ui/shell/main_window.h"
#include "ui/stage/compare_view.h"

namespace rubato::ui {
namespace {

using test::wait_until;

// Clips of one grey each: "/10.mp4" is of grey 10.
ClipSource greys() {
  auto source = test::fake_clips(30);
  source.frames = [](const std::filesystem::path& file, int start, int count, int) -> Result<std::vector<QImage>> {
    const int grey = std::atoi(file.stem().c_str());
    std::vector<QImage> images;
    for (int i = start; i < std::min(start + count, 30); ++i) {
      QImage image(32, 24, QImage::Format_RGB32);
      image.fill(QColor(grey, grey, grey));
      images.push_back(image);
    }
    return images;
  };
  return source;
}

TEST(Compare, TheDistanceIsThatOfTheColours) {
  CompareModel model(greys());
  model.open("/10.mp4", "/20.mp4");
  ASSERT_TRUE(wait_until([&] { return !model.image(0).isNull() && !model.image(1).isNull(); }));
  ASSERT_TRUE(model.psnr());
  EXPECT_NEAR(*model.psnr(), 10 * std::log10(255.0 * 255.0 / 100.0), 1e-9);  // every colour is 10 off
  EXPECT_FALSE(model.equal());
  EXPECT_EQ(qRed(model.difference().pixel(3, 3)), 40);  // made four times as strong
  EXPECT_EQ(qRed(model.image(0).pixel(0, 0)), 10);
  model.swap();
  EXPECT_EQ(qRed(model.image(0).pixel(0, 0)), 20);
  EXPECT_EQ(model.file(0), "/20.mp4");
}

TEST(Compare, EqualFramesHaveNoDistance) {
  CompareModel model(greys());
  model.open("/10.mp4", "/10.mp4");
  ASSERT_TRUE(wait_until([&] { return !model.image(0).isNull() && !model.image(1).isNull(); }));
  EXPECT_TRUE(model.equal());
  EXPECT_FALSE(model.psnr());
}

TEST(Compare, StepsThroughBothAndStopsAtTheirEnds) {
  CompareModel model(greys());
  model.open("/10.mp4", "/20.mp4");
  ASSERT_TRUE(wait_until([&] { return model.count() == 30; }));
  model.step(1);
  EXPECT_EQ(model.position(), 1);
  model.step(-5);
  EXPECT_EQ(model.position(), 0);
  model.seek(100);
  EXPECT_EQ(model.position(), 29);
}

TEST(Compare, TwoClipsOfTheLibraryByKeyboard) {
  test::FakeStudio fake;
  auto& studio = *fake.studio;
  studio.settings().setValue(QStringLiteral("welcomed"), true);
  for (const auto* name : {"a", "b"})
    studio.library().add(
        {.path = std::string("/") + name + ".mp4", .title = name, .prompt = name, .model = "m", .added = 1});
  MainWindow window(studio, builtin_workspaces());
  window.show();
  ASSERT_TRUE(QTest::qWaitForWindowActive(&window));
  window.show_workspace(QStringLiteral("library"));
  auto* clips = window.findChild<QListView*>(QStringLiteral("clips"));
  auto* view = window.findChild<CompareView*>();
  ASSERT_NE(view, nullptr);
  clips->setFocus();
  QTest::keyClick(clips, Qt::Key_B);  // with one clip chosen there is nothing to compare
  EXPECT_FALSE(view->isVisible());
  QTest::keyClick(clips, Qt::Key_A, Qt::ControlModifier);
  QTest::keyClick(clips, Qt::Key_B);
  ASSERT_TRUE(wait_until([&] { return view->isVisible() && studio.compare().count() > 0; }));
  auto* picture = view->picture();
  ASSERT_TRUE(wait_until([&] { return picture->hasFocus(); }));
  QTest::keyClick(picture, Qt::Key_Left);
  EXPECT_EQ(picture->value(), 490);
  QTest::keyClick(picture, Qt::Key_Period);
  EXPECT_EQ(studio.compare().position(), 1);
  QSignalSpy taken(&studio, &Studio::settings_taken);
  view->settings_wanted(1);
  ASSERT_TRUE(taken.wait());
  EXPECT_EQ(studio.draft().job().prompt, "recorded");
  window.show_workspace(QStringLiteral("library"));
  picture->setFocus();
  QTest::keyClick(picture, Qt::Key_Escape);
  EXPECT_FALSE(view->isVisible());
}

}  // namespace
}  // namespace rubato::ui
