#include "pipelines/job/library/library_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
          .frames_sha256 = "abc"};
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
