#include "pipelines/job/library/render_record.h"

#include <gtest/gtest.h>

#include "pipelines/job/queue/queue_requests.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

using nlohmann::json;

TEST(RenderRecord, HoldsWhatTheQueueKnowsOfAJob) {
  const test::TempFolder folder;
  auto queue = QueueStore::open(queue_file(folder.path()), QueueMode::Write);
  ASSERT_TRUE(queue.ok()) << queue.error().message;
  const NewJob job{.id = "a", .name = "ring", .spec = "{}"};
  ASSERT_TRUE(queue->add(std::span(&job, 1)).ok());
  ASSERT_TRUE(queue->started("a", "cpu", "1").ok());
  ASSERT_TRUE(queue->worker_died("a", 3).ok());
  ASSERT_TRUE(queue->started("a", "cpu", "2").ok());
  ASSERT_TRUE(queue->add_event("a", R"({"ev":"job.warn","code":"resumed","message":"going on from step 4"})").ok());
  ASSERT_TRUE(queue->add_event("a", "no JSON").ok());
  ASSERT_TRUE(queue->add_event("a", R"({"ev":"job.done","report":{"seconds":{"denoise":3.5}}})").ok());
  ASSERT_TRUE(queue->add_output("a", {"/clip.mp4", "abc", "video", 12}).ok());
  ASSERT_TRUE(queue->finished("a").ok());
  const auto record = record_of(*queue, "a");
  ASSERT_TRUE(record.ok()) << record.error().message;
  EXPECT_EQ(record->attempts, 2);
  EXPECT_EQ(record->deaths, 1);
  EXPECT_EQ(record->ran_on, "cpu");
  EXPECT_GT(record->ended, 0);
  ASSERT_EQ(record->warnings.size(), 1u);
  EXPECT_EQ(record->warnings[0].message, "going on from step 4");
  EXPECT_EQ(record->files, (std::vector<RenderFile>{{"/clip.mp4", "video", "abc", 12}}));
  EXPECT_EQ(record->report["seconds"]["denoise"], 3.5);
  EXPECT_EQ(render_record_from_json(json::parse(to_json(*record).dump())), *record);
  EXPECT_FALSE(record_of(*queue, "b").ok());
}

TEST(RenderRecord, WhatIsNotUnderstoodCountsAsNotKnown) {
  EXPECT_EQ(render_record_from_json(json::array()), RenderRecord{});
  const auto odd = json::parse(R"({"attempts":"two","ended":7,"warnings":[3,{"message":5}],"files":{},"report":[]})");
  const auto record = render_record_from_json(odd);
  EXPECT_EQ(record.attempts, 0);
  EXPECT_EQ(record.ended, 7);
  ASSERT_EQ(record.warnings.size(), 1u);
  EXPECT_TRUE(record.files.empty());
  EXPECT_TRUE(record.report.is_null());
}

}  // namespace
}  // namespace rubato
