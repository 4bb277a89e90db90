#include "pipelines/job/run/publication.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/ids.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

namespace fs = std::filesystem;
using test::TempFolder;
using testing::HasSubstr;

class PublicationTest : public testing::Test {
 protected:
  // What a worker leaves: a clip and its sidecar.
  void render(const std::string& clip = "pixels") {
    folder_.write(".rubato/work/k/out/clip.mp4", clip);
    folder_.write(".rubato/work/k/out/clip.mp4.json", "{}");
  }
  DoneRecord record() const {
    DoneRecord record;
    record.job = "shot";
    record.files = {{"day/clip.mp4", "out/clip.mp4", "video", "", 0, 0},
                    {"day/clip.mp4.json", "out/clip.mp4.json", "metadata", "", 0, 0}};
    record.frames_sha256 = "abc";
    record.facts = {{"seed", 7}};
    return record;
  }
  Publication publication() const { return {folder_.path(), "k", folder_ / ".rubato/work/k"}; }

  TempFolder folder_;
};

TEST_F(PublicationTest, MovesFilesToTheirNamesAndRecordsThem) {
  render();
  auto files = publication();
  ASSERT_TRUE(files.decide(record()).ok());
  EXPECT_TRUE(files.decided());
  const auto published = files.publish(Replace::Own);
  ASSERT_TRUE(published.ok()) << published.error().message;
  EXPECT_EQ(test::slurp(folder_ / "day/clip.mp4"), "pixels");
  const auto done = files.done();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->files[0].sha256, sha256_hex("pixels"));
  EXPECT_EQ(done->frames_sha256, "abc");
  EXPECT_EQ(done->facts["seed"], 7);
  EXPECT_EQ(files.difference(*done), "");
  EXPECT_FALSE(fs::exists(files.work_folder()));
}

// The process may die between any two of publish()'s acts.
TEST_F(PublicationTest, GoesOnAfterACrashHalfWay) {
  render();
  ASSERT_TRUE(publication().decide(record()).ok());
  fs::create_directories(folder_ / "day");
  fs::rename(folder_ / ".rubato/work/k/out/clip.mp4", folder_ / "day/clip.mp4");  // and then the power went
  EXPECT_FALSE(publication().done());
  const auto published = publication().publish(Replace::Own);
  ASSERT_TRUE(published.ok()) << published.error().message;
  EXPECT_TRUE(fs::exists(folder_ / "day/clip.mp4.json"));
  EXPECT_TRUE(publication().done());
}

TEST_F(PublicationTest, NeverReplacesAnotherFileUnlessAsked) {
  render();
  folder_.write("day/clip.mp4", "somebody's");
  ASSERT_TRUE(publication().decide(record()).ok());
  const auto refused = publication().publish(Replace::Own);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::OutputExists);
  EXPECT_EQ(test::slurp(folder_ / "day/clip.mp4"), "somebody's");
  EXPECT_TRUE(fs::exists(folder_ / ".rubato/work/k/out/clip.mp4")) << "the rendered file is not lost";
  ASSERT_TRUE(publication().publish(Replace::Any).ok());
  EXPECT_EQ(test::slurp(folder_ / "day/clip.mp4"), "pixels");
}

// Half a result under its names would be neither the job's nor the person's.
TEST_F(PublicationTest, LooksAtAllNamesBeforeTheFirstRename) {
  render();
  folder_.write("day/clip.mp4.json", "somebody's");
  ASSERT_TRUE(publication().decide(record()).ok());
  const auto refused = publication().publish(Replace::Own);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::OutputExists);
  EXPECT_THAT(refused.error().message, HasSubstr("clip.mp4.json"));
  EXPECT_FALSE(fs::exists(folder_ / "day/clip.mp4")) << "nothing of it was published";
}

TEST_F(PublicationTest, ADecisionWhoseFileWasMovedAwayIsVoid) {
  render();
  ASSERT_TRUE(publication().decide(record()).ok());
  EXPECT_FALSE(publication().drop_broken_decision());
  fs::create_directories(folder_ / "day");
  fs::rename(folder_ / ".rubato/work/k/out/clip.mp4.json", folder_ / "day/clip.mp4.json");  // arrived
  fs::rename(folder_ / ".rubato/work/k/out/clip.mp4", folder_ / "taken.mp4");               // a person's doing
  EXPECT_FALSE(publication().decided());
  EXPECT_TRUE(publication().drop_broken_decision());
  EXPECT_FALSE(publication().drop_broken_decision()) << "it is gone";
  render("again");
  ASSERT_TRUE(publication().decide(record()).ok());
  const auto published = publication().publish(Replace::Own);
  ASSERT_TRUE(published.ok()) << published.error().message << ": what had arrived is the job's own";
  EXPECT_EQ(test::slurp(folder_ / "day/clip.mp4"), "again");
  EXPECT_EQ(test::slurp(folder_ / "taken.mp4"), "pixels");
}

TEST_F(PublicationTest, ReplacesWhatJobsMadeAndNothingElse) {
  for (const auto* stands : {"another job's", "a person's", "a person's over another job's"}) {
    folder_.write("day/clip.mp4", stands);
    folder_.write(".rubato/other.done",
                  R"({"version":1,"job":"other","frames_sha256":"","facts":{},"files":[{"path":"day/clip.mp4",)"
                  R"("work":"out/clip.mp4","kind":"video","bytes":13,"modified_ns":0,"sha256":")" +
                      sha256_hex("another job's") + "\"}]}");
    if (stands == std::string("a person's")) fs::remove(folder_ / ".rubato/other.done");
    render();
    ASSERT_TRUE(publication().decide(record()).ok());
    const bool made = stands == std::string("another job's");
    EXPECT_EQ(publication().publish(Replace::Made).ok(), made) << stands;
    EXPECT_EQ(test::slurp(folder_ / "day/clip.mp4"), made ? "pixels" : stands);
    fs::remove(folder_ / ".rubato/k.done");
    fs::remove_all(folder_ / "day");
  }
  // Its own may be replaced even when somebody changed it: that is what is asked for.
  render();
  ASSERT_TRUE(publication().decide(record()).ok());
  ASSERT_TRUE(publication().publish(Replace::Own).ok());
  folder_.write("day/clip.mp4", "edited");
  render("second");
  ASSERT_TRUE(publication().decide(record()).ok());
  EXPECT_TRUE(publication().publish(Replace::Made).ok());
  EXPECT_EQ(test::slurp(folder_ / "day/clip.mp4"), "second");
}

TEST_F(PublicationTest, TakesOtherNamesWhereThoseOfTheDecisionWereTakenMeanwhile) {
  render();
  ASSERT_TRUE(publication().decide(record()).ok());
  fs::create_directories(folder_ / "day");
  fs::rename(folder_ / ".rubato/work/k/out/clip.mp4.json", folder_ / "day/clip.mp4.json");  // and then the power went
  folder_.write("day/clip.mp4", "somebody's");
  ASSERT_FALSE(publication().publish(Replace::Own).ok());
  ASSERT_TRUE(publication()
                  .rename([](const PublishedFile& file) {
                    return file.path == "day/clip.mp4" ? "day/clip-2.mp4" : "day/clip-2.mp4.json";
                  })
                  .ok());
  const auto published = publication().publish(Replace::Own);
  ASSERT_TRUE(published.ok()) << published.error().message;
  EXPECT_EQ(test::slurp(folder_ / "day/clip-2.mp4"), "pixels");
  EXPECT_EQ(test::slurp(folder_ / "day/clip-2.mp4.json"), "{}");
  EXPECT_FALSE(fs::exists(folder_ / "day/clip.mp4.json")) << "half a result under the old name";
  EXPECT_EQ(test::slurp(folder_ / "day/clip.mp4"), "somebody's");
}

TEST_F(PublicationTest, SaysWhatHappenedToAFinishedFile) {
  render();
  ASSERT_TRUE(publication().decide(record()).ok());
  const auto done = publication().publish(Replace::Own);
  ASSERT_TRUE(done.ok());
  folder_.write("day/clip.mp4", "Pixels");  // one byte, same length
  EXPECT_THAT(publication().difference(*done), HasSubstr("was changed"));
  fs::remove(folder_ / "day/clip.mp4");
  EXPECT_THAT(publication().difference(*done), HasSubstr("is missing"));
}

// Copying a folder changes times, not contents.
TEST_F(PublicationTest, KnowsAFileByItsHashWhenItsTimeIsAnother) {
  render();
  ASSERT_TRUE(publication().decide(record()).ok());
  const auto done = publication().publish(Replace::Own);
  ASSERT_TRUE(done.ok());
  fs::last_write_time(folder_ / "day/clip.mp4", fs::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_EQ(publication().difference(*done), "");
}

TEST_F(PublicationTest, TakesADamagedRecordForNone) {
  for (const auto* text :
       {"", "{", "[]", "{\"version\":1}", "{\"version\":2,\"job\":\"a\",\"files\":[],\"frames_sha256\":\"\"}",
        "{\"version\":1,\"job\":\"a\",\"files\":[{\"path\":1}],\"frames_sha256\":\"\"}"}) {
    folder_.write(".rubato/k.done", text);
    EXPECT_FALSE(publication().done()) << text;
  }
}

// KEY.done and publish.json lie in a shared folder: they must not lead out of it.
TEST_F(PublicationTest, RefusesToPublishOutsideTheFolder) {
  render();
  auto evil = record();
  evil.files[0].path = "../clip.mp4";
  ASSERT_TRUE(publication().decide(evil).ok());
  EXPECT_FALSE(publication().publish(Replace::Any).ok());
  EXPECT_FALSE(fs::exists(folder_.path().parent_path() / "clip.mp4"));
}

// Others write into the folder too: a record that leads out of it, or names nothing, is none.
TEST_F(PublicationTest, BelievesNoRecordThatLeadsOutOfItsFolder) {
  const auto with = [](const std::string& path, const std::string& work) {
    return R"({"version":1,"job":"shot","frames_sha256":"","facts":{},"files":[{"path":")" + path + R"(","work":")" +
           work + R"(","kind":"video","sha256":"","bytes":6,"modified_ns":0}]})";
  };
  folder_.write("elsewhere.txt", "secret");
  folder_.write(".rubato/k.done", with("../clip.mp4", "out/clip.mp4"));
  EXPECT_FALSE(publication().done());
  folder_.write(".rubato/k.done", R"({"version":1,"job":"shot","frames_sha256":"","facts":{},"files":[]})");
  EXPECT_FALSE(publication().done());
  folder_.write(".rubato/work/k/publish.json", with("clip.mp4", "../../../elsewhere.txt"));
  EXPECT_FALSE(publication().decided());
  EXPECT_FALSE(publication().publish(Replace::Own).ok());
  EXPECT_EQ(test::slurp(folder_ / "elsewhere.txt"), "secret");
  folder_.write(".rubato/k.done", with("clip.mp4", "out/clip.mp4"));
  EXPECT_TRUE(publication().done()) << "the records above are refused for their names alone";
}

TEST_F(PublicationTest, ReplacesItsOwnEarlierFilesUnlessTheyWereChanged) {
  for (const bool changed : {false, true}) {
    std::error_code ignored;
    fs::remove_all(folder_ / "day", ignored);
    render("first");
    ASSERT_TRUE(publication().decide(record()).ok());
    ASSERT_TRUE(publication().publish(Replace::Any).ok());
    if (changed) folder_.write("day/clip.mp4.json", "a note");
    fs::create_directories(publication().work_folder());
    ASSERT_TRUE(publication().forget().ok());
    EXPECT_FALSE(publication().done());
    render("second");
    ASSERT_TRUE(publication().decide(record()).ok());
    EXPECT_EQ(publication().publish(Replace::Own).ok(), !changed);
    EXPECT_EQ(test::slurp(folder_ / "day/clip.mp4"), changed ? "first" : "second") << "all of it or nothing";
    EXPECT_EQ(test::slurp(folder_ / "day/clip.mp4.json"), changed ? "a note" : "{}");
  }
}

TEST_F(PublicationTest, BeginsAnewWithoutForgettingWhichFilesAreItsOwn) {
  render();
  ASSERT_TRUE(publication().decide(record()).ok());
  ASSERT_TRUE(publication().publish(Replace::Own).ok());
  render("half");
  for (int attempt = 0; attempt < 2; ++attempt) {  // the second after the first was interrupted
    ASSERT_TRUE(publication().forget().ok());
    publication().begin_anew();
    EXPECT_FALSE(publication().done());
    EXPECT_FALSE(fs::exists(folder_ / ".rubato/work/k/out"));
    EXPECT_TRUE(publication().is_own("day/clip.mp4"));
  }
}

class ReplacedClipTest : public PublicationTest {
 protected:
  // Renders pictures of one name by job `key` and decides their names; publish() is left to the test.
  Publication decide(const std::string& key, int frames, const std::string& named = "f_####.png") {
    DoneRecord record;
    record.job = key;
    record.facts = {{"named", named}};
    for (int i = 0; i < frames; ++i) {
      const auto name = fmt::format("f_{:04}.png", i);
      folder_.write(fmt::format(".rubato/work/{}/out/{}", key, name), key + name);
      record.files.push_back({name, "out/" + name, "frames", "", 0, 0});
    }
    Publication files(folder_.path(), key, folder_ / (".rubato/work/" + key));
    EXPECT_TRUE(files.decide(record).ok());
    return files;
  }
  bool stands(int frame) const { return fs::exists(folder_ / fmt::format("f_{:04}.png", frame)); }
};

TEST_F(ReplacedClipTest, TheLongerOnesPicturesGo) {
  for (const auto replace : {Replace::Made, Replace::Any}) {
    ASSERT_TRUE(decide("long", 5).publish(Replace::Any).ok());
    folder_.write("f_0003.png", "a person's");
    folder_.write("f_0009.png", "nobody's");
    ASSERT_TRUE(decide("short", 1).publish(replace).ok());
    EXPECT_EQ(test::slurp(folder_ / "f_0000.png"), "shortf_0000.png");
    for (const int gone : {1, 2, 4}) EXPECT_FALSE(stands(gone)) << gone;
    EXPECT_EQ(test::slurp(folder_ / "f_0003.png"), "a person's");
    EXPECT_EQ(test::slurp(folder_ / "f_0009.png"), "nobody's");
    fs::remove(folder_ / ".rubato/short.done");
  }
}

// One picture that goes over one of a clip's, by a name of its own, is not that clip anew.
TEST_F(ReplacedClipTest, PicturesOfAnotherNameStay) {
  ASSERT_TRUE(decide("long", 5).publish(Replace::Any).ok());
  ASSERT_TRUE(decide("one", 1, "f_0000.png").publish(Replace::Any).ok());
  for (const int kept : {1, 2, 3, 4}) EXPECT_TRUE(stands(kept)) << kept;
}

// The process may die between the last rename and the first file that goes, or among the renames.
TEST_F(ReplacedClipTest, TheyGoAfterACrash) {
  for (const bool before_all : {true, false}) {
    ASSERT_TRUE(decide("long", 5).publish(Replace::Any).ok());
    auto files = decide("short", 2);
    folder_.write(".rubato/short.done/in the way", "");  // KEY.done cannot take its name: all else is done
    fs::create_directories(folder_ / "kept");
    if (before_all) {
      for (int i = 2; i < 5; ++i)
        fs::copy_file(folder_ / fmt::format("f_{:04}.png", i), folder_ / fmt::format("kept/{}", i),
                      fs::copy_options::overwrite_existing);
      EXPECT_FALSE(files.publish(Replace::Any).ok());
      for (int i = 2; i < 5; ++i)
        fs::rename(folder_ / fmt::format("kept/{}", i), folder_ / fmt::format("f_{:04}.png", i));
    } else {
      fs::rename(files.work_folder() / "out/f_0000.png", folder_ / "f_0000.png");
    }
    fs::remove_all(folder_ / ".rubato/short.done");
    ASSERT_TRUE(files.publish(before_all ? Replace::Own : Replace::Any).ok());
    EXPECT_TRUE(stands(0) && stands(1));
    for (const int gone : {2, 3, 4}) EXPECT_FALSE(stands(gone)) << gone;
    fs::remove(folder_ / ".rubato/short.done");
  }
}

TEST_F(PublicationTest, TellsADamagedRecordFromNone) {
  EXPECT_EQ(publication().damaged_record(), "");
  render();
  ASSERT_TRUE(publication().decide(record()).ok());
  ASSERT_TRUE(publication().publish(Replace::Own).ok());
  EXPECT_EQ(publication().damaged_record(), "");
  folder_.write(".rubato/k.done", test::slurp(folder_ / ".rubato/k.done").substr(0, 40));
  EXPECT_THAT(publication().damaged_record(), HasSubstr("k.done"));
}

// Another process took the job over, and the work folder with it, while this one was stopped before any of its acts.
TEST_F(PublicationTest, PublishesNothingOnceItsWorkFolderIsAnothers) {
  const auto taken = folder_ / ".rubato/work/k.TAKEN";
  for (const int acts : {0, 1, 2}) {
    std::error_code ignored;
    fs::remove_all(taken, ignored);
    fs::remove_all(folder_ / "day", ignored);
    render();
    if (acts > 0) {
      ASSERT_TRUE(publication().decide(record()).ok());
    }
    fs::rename(folder_ / ".rubato/work/k", taken);
    if (acts == 2) {  // and the other has published it
      Publication other(folder_.path(), "k", taken);
      ASSERT_TRUE(other.publish(Replace::Own).ok());
      const auto done = test::slurp(folder_ / ".rubato/k.done");
      EXPECT_FALSE(publication().publish(Replace::Any).ok());
      EXPECT_FALSE(publication().forget().ok()) << "the other's record is not this one's to forget";
      EXPECT_EQ(test::slurp(folder_ / ".rubato/k.done"), done);
      continue;
    }
    EXPECT_FALSE(publication().decide(record()).ok());
    EXPECT_FALSE(publication().publish(Replace::Any).ok());
    EXPECT_FALSE(fs::exists(folder_ / ".rubato/k.done"));
    EXPECT_FALSE(fs::exists(folder_ / "day/clip.mp4"));
    EXPECT_FALSE(fs::exists(publication().work_folder())) << "nobody makes it again";
    EXPECT_EQ(test::slurp(taken / "out/clip.mp4"), "pixels");
  }
}

}  // namespace
}  // namespace rubato
