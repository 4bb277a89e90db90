#include "pipelines/job/library/library_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "pipelines/job/queue/sqlite.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

using testing::HasSubstr;

LibraryItem clip(const std::string& path, double added) {
  return {.path = path,
          .title = "Ring",
          .prompt = "a small cyan ring",
          .model = "practice-video",
          .seed = "18446744073709551615",
          .size = {128, 64},
          .frames = 65,
          .fps = 16,
          .seconds = 8.5,
          .bytes = 12'345,
          .added = added,
          .job = R"({"kind":"video"})",
          .frames_sha256 = "abc",
          .tags = {"keep", "sea"},
          .record = R"({"attempts":2})"};
}

TEST(LibraryStore, KeepsEveryMemberOverAReopen) {
  const test::TempFolder folder;
  auto item = clip("/a.mp4", 10);
  {
    auto store = LibraryStore::open(library_file(folder.path()));
    ASSERT_TRUE(store.ok()) << store.error().message;
    const auto added = store->add(item);
    ASSERT_TRUE(added.ok()) << added.error().message;
    item.id = added->id;
    EXPECT_EQ(*added, item);
  }
  auto store = LibraryStore::open(library_file(folder.path()));
  ASSERT_TRUE(store.ok());
  EXPECT_EQ(*store->list(), std::vector{item});
}

TEST(LibraryStore, ListsTheNewestFirst) {
  const test::TempFolder folder;
  auto store = LibraryStore::open(library_file(folder.path()));
  ASSERT_TRUE(store.ok());
  for (const double added : {20.0, 10.0, 30.0}) ASSERT_TRUE(store->add(clip(std::to_string(added), added)).ok());
  const auto items = store->list();
  ASSERT_EQ(items->size(), 3u);
  EXPECT_EQ((*items)[0].added, 30);
  EXPECT_EQ((*items)[2].added, 10);
}

TEST(LibraryStore, AClipThatIsMadeAgainKeepsItsIdAndStar) {
  const test::TempFolder folder;
  auto store = LibraryStore::open(library_file(folder.path()));
  const auto first = store->add(clip("/a.mp4", 10));
  ASSERT_TRUE(store->set_starred(first->id, true).ok());
  auto again = clip("/a.mp4", 20);
  again.prompt = "another";
  const auto second = store->add(again);
  EXPECT_EQ(second->id, first->id);
  const auto items = store->list();
  ASSERT_EQ(items->size(), 1u);
  EXPECT_EQ((*items)[0].prompt, "another");
  EXPECT_TRUE((*items)[0].starred);
}

TEST(LibraryStore, WhatWasRemovedCanBeBroughtBackAsItWas) {
  const test::TempFolder folder;
  auto store = LibraryStore::open(library_file(folder.path()));
  const auto item = store->add(clip("/a.mp4", 10));
  const auto removed = store->remove(item->id);
  ASSERT_TRUE(removed.ok());
  EXPECT_EQ(*removed, *item);
  EXPECT_TRUE(store->list()->empty());
  EXPECT_THAT(store->remove(item->id).error().message, HasSubstr("has no clip"));
  EXPECT_EQ(*store->add(*removed), *item);
}

TEST(LibraryStore, TagsAreKeptOnceAndInOrder) {
  const test::TempFolder folder;
  const auto file = library_file(folder.path());
  std::string id;
  {
    auto store = LibraryStore::open(file);
    id = store->add(clip("/a.mp4", 10))->id;
    ASSERT_TRUE(store->add(clip("/b.mp4", 20)).ok());
    const auto kept = store->set_tags(id, {" night   sea ", "Keep", "keep", "", "Überschwang"});
    ASSERT_TRUE(kept.ok()) << kept.error().message;
    EXPECT_EQ(*kept, (std::vector<std::string>{"Keep", "night sea", "Überschwang"}));
    EXPECT_FALSE(store->set_tags("unknown", {"x"}).ok());
  }
  auto store = LibraryStore::open(file);
  EXPECT_EQ(store->find(id)->value().tags, (std::vector<std::string>{"Keep", "night sea", "Überschwang"}));
  const auto items = *store->list();
  EXPECT_EQ(items[0].tags, (std::vector<std::string>{"keep", "sea"}));  // the other's are its own
  EXPECT_EQ(items[1].tags, (std::vector<std::string>{"Keep", "night sea", "Überschwang"}));
  // Made again, the clip keeps them beside what the new one brings.
  auto again = clip("/a.mp4", 30);
  again.tags = {"new"};
  EXPECT_EQ(store->add(again)->tags, (std::vector<std::string>{"Keep", "new", "night sea", "Überschwang"}));
}

// Each change is on the disk when its call returns: the program is killed right behind it.
TEST(LibraryStore, TagsAndStarsOutliveAKilledProgram) {
  const test::TempFolder folder;
  const auto file = library_file(folder.path());
  const pid_t program = ::fork();
  ASSERT_GE(program, 0);
  if (program == 0) {
    auto store = LibraryStore::open(file);
    const auto item = store->add(clip("/a.mp4", 10));
    if (store->set_starred(item->id, true).ok() && store->set_tags(item->id, {"night"}).ok())
      ::kill(::getpid(), SIGKILL);
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(program, &status, 0), program);
  ASSERT_TRUE(WIFSIGNALED(status));
  const auto items = LibraryStore::open(file)->list();
  ASSERT_EQ(items->size(), 1u);
  EXPECT_TRUE(items->front().starred);
  EXPECT_EQ(items->front().tags, std::vector<std::string>{"night"});
}

TEST(LibraryStore, ATagIsNeverCutInsideACharacter) {
  const auto tags = normal_tags({std::string(63, 'a') + "ü", std::string(40, 'b') + "\n\t" + std::string(40, 'c')});
  EXPECT_EQ(tags, (std::vector<std::string>{std::string(63, 'a'), std::string(40, 'b') + ' ' + std::string(23, 'c')}));
  std::vector<std::string> many;
  for (int i = 0; i < 100; ++i) many.push_back(std::to_string(i));
  EXPECT_EQ(normal_tags(many).size(), 32u);
}

// A library that an earlier version wrote opens with all that is in it.
TEST(LibraryStore, AFileOfTheFirstVersionIsCarriedOn) {
  const test::TempFolder folder;
  const auto file = library_file(folder.path());
  std::string id;
  {
    auto store = LibraryStore::open(file);
    auto item = clip("/a.mp4", 10);
    item.tags.clear();
    item.record.clear();
    id = store->add(item)->id;
  }
  {
    auto database = sqlite::Database::open(file, sqlite::Mode::Write);
    ASSERT_TRUE(database->run("DROP TABLE tags; ALTER TABLE items DROP COLUMN record; PRAGMA user_version = 1").ok());
  }
  auto store = LibraryStore::open(file);
  ASSERT_TRUE(store.ok()) << store.error().message;
  auto expected = clip("/a.mp4", 10);
  expected.id = id;
  expected.tags.clear();
  expected.record.clear();
  EXPECT_EQ(*store->list(), std::vector{expected});
  EXPECT_TRUE(store->set_tags(id, {"old"}).ok());
}

TEST(LibraryStore, AFileOfAnotherProgramIsLeftAlone) {
  const test::TempFolder folder;
  {
    auto other = sqlite::Database::open(library_file(folder.path()), sqlite::Mode::Write);
    ASSERT_TRUE(other.ok()) << other.error().message;
    ASSERT_TRUE(other->run("CREATE TABLE notes(text)").ok());
  }
  const auto store = LibraryStore::open(library_file(folder.path()));
  ASSERT_FALSE(store.ok());
  EXPECT_THAT(store.error().message, HasSubstr("of another program"));
}

}  // namespace
}  // namespace rubato
