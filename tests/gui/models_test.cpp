// The models of the window, without a widget.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QAbstractItemModelTester>
#include <QMimeData>
#include <QSignalSpy>

#include "tests/gui/fake_engine.h"
#include "ui/library/library_model.h"
#include "ui/models/models_model.h"
#include "ui/queue/queue_model.h"
#include "ui/queue/render_model.h"
#include "ui/stage/player.h"

namespace rubato::ui {
namespace {

using test::FakeEngine;
using test::wait_until;

VideoJob job(const std::string& prompt) {
  VideoJob made;
  made.prompt = prompt;
  made.model = "/models/practice";
  made.out = "/tmp/" + prompt + ".mp4";
  made.size = Size{128, 64};
  return made;
}

struct Queue {
  test::TempFolder folder;
  FakeEngine engine{folder.path()};
  QueueModel model{engine};
  QAbstractItemModelTester tester{&model, QAbstractItemModelTester::FailureReportingMode::Fatal};

  QString add(const char* name, QueueModel::Turn turn = QueueModel::Turn::Last) {
    return model.add(job(name), QLatin1String(name), turn).value_or(QString());
  }
  std::vector<std::string> names() const {
    std::vector<std::string> list;
    for (int row = 0; row < model.rowCount(); ++row) list.push_back(model.job(row).name);
    return list;
  }
};

TEST(QueueModel, JobsStandInTheOrderOfTheQueueAndCanBeMoved) {
  Queue queue;
  queue.add("a");
  const auto b = queue.add("b");
  const auto c = queue.add("c", QueueModel::Turn::Next);
  EXPECT_THAT(queue.names(), testing::ElementsAre("c", "a", "b"));
  queue.model.move_by(b, -1);
  EXPECT_THAT(queue.names(), testing::ElementsAre("c", "b", "a"));
  queue.model.move_by(c, 5);
  EXPECT_THAT(queue.names(), testing::ElementsAre("b", "a", "c"));
  // By dragging: in front of the first.
  const std::unique_ptr<QMimeData> dragged(queue.model.mimeData({queue.model.index(2, 0)}));
  queue.model.dropMimeData(dragged.get(), Qt::MoveAction, 0, 0, {});
  EXPECT_THAT(queue.names(), testing::ElementsAre("c", "b", "a"));
}

TEST(QueueModel, TheRunningJobSaysHowFarItIs) {
  Queue queue;
  queue.add("a");
  const auto id = queue.engine.begin();
  ASSERT_FALSE(id.empty());
  queue.model.reload();
  queue.engine.tell(id, {.phase = QStringLiteral("denoise"),
                         .done = 3,
                         .total = 12,
                         .fraction = 0.25,
                         .eta_s = 8,
                         .lo_s = 7,
                         .hi_s = 10});
  const auto cell = queue.model.index(0, QueueModel::Progress);
  EXPECT_EQ(cell.data().toString().toStdString(), "Denoising, 3 of 12, 7 to 10 s left");
  EXPECT_DOUBLE_EQ(cell.data(QueueModel::kFractionRole).toDouble(), 0.25);
  queue.engine.fail(id, {ErrorCode::OutOfMemory, "too large"});
  ASSERT_TRUE(wait_until([&] { return queue.model.job(0).state == JobState::Failed; }));
  EXPECT_EQ(cell.data().toString().toStdString(), "too large");
  queue.model.retry(QString::fromStdString(id));
  EXPECT_EQ(queue.model.job(0).state, JobState::Queued);
  EXPECT_THAT(queue.model.log(QString::fromStdString(id)).toStdString(), testing::HasSubstr("failed"));
}

TEST(QueueModel, PauseCancelAndRemove) {
  Queue queue;
  const auto a = queue.add("a");
  queue.add("b");
  queue.model.pause();
  EXPECT_TRUE(queue.model.paused());
  EXPECT_EQ(queue.engine.begin(), "");
  queue.model.resume();
  EXPECT_FALSE(queue.model.paused());
  queue.model.cancel(a);
  ASSERT_TRUE(wait_until([&] { return queue.model.waiting() == 1; }));
  queue.model.clear_ended();
  EXPECT_THAT(queue.names(), testing::ElementsAre("b"));
  QSignalSpy refused(&queue.model, &QueueModel::refused);
  queue.model.remove(a);
  EXPECT_EQ(refused.count(), 1);
}

TEST(RenderModel, FollowsAJobFromItsStartToItsEnd) {
  Queue queue;
  RenderModel render(queue.engine);
  QSignalSpy pictured(&render, &RenderModel::pictured), ended(&render, &RenderModel::ended);
  queue.add("a");
  EXPECT_FALSE(render.running());
  const auto id = queue.engine.begin();
  EXPECT_TRUE(render.running());
  EXPECT_EQ(render.size(), QSize(128, 64));
  EXPECT_EQ(render.phase_line().toStdString(), "Starting the engine");
  queue.engine.tell(id, {.phase = QStringLiteral("denoise"), .done = 1, .total = 4, .fraction = 0.2});
  EXPECT_EQ(render.phase_line().toStdString(), "Denoising, step 1 of 4");
  queue.engine.show(id, 0);
  EXPECT_EQ(pictured.count(), 1);
  EXPECT_FALSE(render.picture().isNull());
  ASSERT_TRUE(wait_until([&] { return pictured.count() > 2; }));  // two pictures, so it moves
  render.stop_after_step();
  EXPECT_EQ(queue.engine.asked_to_stop, protocol::CancelWhen::AfterStep);
  EXPECT_TRUE(render.stopping());
  queue.engine.finish(id, "/tmp/a.mp4");
  EXPECT_FALSE(render.running());
  EXPECT_EQ(ended.count(), 1);
}

struct Library {
  test::TempFolder folder;
  LibraryStore store = std::move(LibraryStore::open(library_file(folder.path())).value());
  QUndoStack undo;
  LibraryModel model{store, undo, [](const LibraryItem&) { return QImage(8, 8, QImage::Format_RGB32); }};
  QAbstractItemModelTester tester{&model, QAbstractItemModelTester::FailureReportingMode::Fatal};

  void add(const std::string& prompt, double when) {
    model.add({.path = "/tmp/" + prompt + ".mp4", .title = prompt, .prompt = prompt, .model = "m", .added = when});
  }
};

TEST(LibraryModel, SearchAndStarsLeaveWhatFits) {
  Library library;
  library.add("a red star", 1);
  library.add("a blue ring", 2);
  library.add("a red ring", 3);
  LibraryFilter filter(library.model);
  filter.set_words(QStringLiteral("RING red"));
  ASSERT_EQ(filter.rowCount(), 1);
  EXPECT_EQ(filter.index(0, 0).data().toString(), QStringLiteral("a red ring"));
  filter.set_words({});
  filter.set_starred_only(true);
  EXPECT_EQ(filter.rowCount(), 0);
  library.model.set_starred(library.model.index(1).data(LibraryModel::kIdRole).toString(), true);
  EXPECT_EQ(filter.rowCount(), 1);
}

TEST(LibraryModel, TakingAClipOutIsUndone) {
  Library library;
  library.add("a red star", 1);
  library.add("a blue ring", 2);
  const auto before = *library.store.list();
  library.model.take_out(library.model.index(0).data(LibraryModel::kIdRole).toString());
  EXPECT_EQ(library.model.rowCount(), 1);
  library.undo.undo();
  EXPECT_EQ(library.model.rowCount(), 2);
  EXPECT_EQ(*library.store.list(), before);
}

TEST(LibraryModel, PicturesComeWhenTheyAreAskedFor) {
  Library library;
  library.add("a", 1);
  EXPECT_TRUE(library.model.index(0).data(Qt::DecorationRole).isNull());
  ASSERT_TRUE(wait_until([&] { return !library.model.index(0).data(Qt::DecorationRole).isNull(); }));
}

TEST(ModelsModel, OnlyCompleteModelsAreOffered) {
  ModelsModel model([] {
    ModelsModel::Answer answer;
    ModelEntry whole{.name = "whole", .title = "", .family = "wan", .kind = "video"};
    whole.parts = {{.name = "transformer", .weight_bytes = 1'000'000}};
    auto lacking = whole;
    lacking.name = "lacking";
    lacking.parts.push_back({.name = "vae", .missing = "expected vae/config.json"});
    answer.scan.models = {lacking, whole};
    return answer;
  });
  QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
  QSignalSpy scanned(&model, &ModelsModel::scanned);
  model.rescan();
  EXPECT_TRUE(model.scanning());
  ASSERT_TRUE(scanned.wait());
  EXPECT_EQ(model.rowCount(), 2);
  EXPECT_EQ(model.index(0, ModelsModel::State).data().toString(), QStringLiteral("missing: vae"));
  ASSERT_EQ(model.usable().size(), 1u);
  EXPECT_EQ(model.usable()[0].name, "whole");
}

TEST(Player, StepsSeeksAndKeepsInsideItsRange) {
  Player player(test::fake_clips(100));
  QSignalSpy opened(&player, &Player::opened);
  player.open("/clip.mp4");
  ASSERT_TRUE(opened.wait());
  player.stop();
  player.seek(10);
  player.step(1);
  EXPECT_EQ(player.position(), 11);
  player.step(-100);
  EXPECT_EQ(player.position(), 0);
  player.seek(1'000);
  EXPECT_EQ(player.position(), 99);
  ASSERT_TRUE(wait_until([&] { return !player.image().isNull(); }));
  EXPECT_EQ(qRed(player.image().pixel(0, 0)), 99);

  player.seek(20);
  player.mark_in();
  player.seek(22);
  player.mark_out();
  ASSERT_TRUE(wait_until([&] { return !player.image().isNull(); }));
  player.play_pause();
  int lowest = 99, highest = 0;
  QObject::connect(&player, &Player::moved, &player, [&] {
    lowest = std::min(lowest, player.position());
    highest = std::max(highest, player.position());
  });
  ASSERT_TRUE(wait_until([&] { return lowest == 20 && highest == 22; }));
  QTest::qWait(120);
  EXPECT_EQ(lowest, 20);
  EXPECT_EQ(highest, 22);
}

TEST(Player, ShuttleDoublesStandsAndTurns) {
  Player player(test::fake_clips(1'000));
  QSignalSpy opened(&player, &Player::opened);
  player.open("/clip.mp4");
  ASSERT_TRUE(opened.wait());
  EXPECT_EQ(player.speed(), 1);  // plays as soon as it is there
  player.shuttle(1);
  EXPECT_EQ(player.speed(), 2);
  player.shuttle(-1);
  EXPECT_EQ(player.speed(), 0);
  player.shuttle(-1);
  EXPECT_EQ(player.speed(), -1);
}

TEST(ClipFrames, KeepsToItsBudgetAndStillShowsEveryFrame) {
  auto source = test::fake_clips(400);
  source.frames = [](const std::filesystem::path&, int start, int count, int) -> Result<std::vector<QImage>> {
    std::vector<QImage> images;
    for (int i = start; i < std::min(start + count, 400); ++i) {
      QImage image(1280, 720, QImage::Format_RGB32);
      image.setPixel(0, 0, qRgb(i % 256, i / 256, 0));
      images.push_back(image);
    }
    return images;
  };
  ClipFrames frames(source);
  QSignalSpy opened(&frames, &ClipFrames::opened);
  frames.open("/clip.mp4");
  ASSERT_TRUE(opened.wait());
  for (const int at : {0, 100, 200, 399, 0}) {
    ASSERT_TRUE(wait_until([&] { return !frames.frame(at).isNull(); })) << at;
    EXPECT_EQ(qRed(frames.frame(at).pixel(0, 0)) + 256 * qGreen(frames.frame(at).pixel(0, 0)), at);
  }
  qint64 bytes = 0;
  for (int i = 0; i < 400; ++i)
    if (frames.has(i)) bytes += 1280 * 720 * 4;
  EXPECT_LE(bytes, ClipFrames::kBudget + 2 * ClipFrames::kChunk * 1280 * 720 * 4);
}

}  // namespace
}  // namespace rubato::ui
