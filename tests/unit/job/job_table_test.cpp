#include "pipelines/job/run/job_table.h"

#include <gtest/gtest.h>

namespace rubato {
namespace {

RunPlan plan_of(const std::vector<double>& priorities) {
  RunPlan plan;
  for (const auto priority : priorities) {
    auto& job = plan.jobs.emplace_back();
    job.batch.priority = priority;
    job.job.model = "a";
    plan.is_done.push_back(false);
    plan.is_refused.push_back(false);
  }
  return plan;
}

const auto kAny = [](std::size_t) { return true; };

TEST(JobTable, GivesTheMostUrgentJobAndAmongEqualsTheOneWhoseModelIsLoaded) {
  auto plan = plan_of({0, 5, 5, 0});
  plan.jobs[2].job.model = "b";
  JobTable table(plan, 0);
  EXPECT_EQ(table.next("", kAny), 1u);
  EXPECT_EQ(table.next("b", kAny), 2u);
  EXPECT_EQ(table.next("c", kAny), 1u) << "a model that no job has";
  EXPECT_EQ(table.next("", [](std::size_t job) { return job == 3; }), 3u);
  table.outcome(1).state = JobState::Done;
  table.outcome(2).state = JobState::Failed;
  EXPECT_EQ(table.next("b", kAny), 0u);
}

TEST(JobTable, LetsJobsWaitForOthersAndForTheDisk) {
  auto plan = plan_of({9, 0});
  plan.jobs[0].after = {1};
  JobTable table(plan, 0);
  EXPECT_EQ(table.next("", kAny), 1u);
  table.outcome(1).state = JobState::Suspended;
  table.outcome(1).reason = "no_disk";
  EXPECT_TRUE(table.is_open(1));
  EXPECT_FALSE(table.any_ready());
  table.outcome(1).state = JobState::Done;
  EXPECT_EQ(table.next("", kAny), 0u);
}

TEST(JobTable, StartsNoMoreThanTheLimitButEndsWhatItBegan) {
  const auto plan = plan_of({0, 0});
  JobTable table(plan, 1);
  table.started(0);
  EXPECT_EQ(table.next("", kAny), 0u) << "once more, after its worker died";
  table.outcome(0).state = JobState::Done;
  EXPECT_FALSE(table.any_ready());
  EXPECT_FALSE(table.next("", kAny));
}

TEST(JobTable, LeavesForLaterWhatOnlyTheLimitHoldsBack) {
  auto plan = plan_of({0, 0, 0, 0, 0, 0});
  plan.jobs[0].after = {1};  // a chain 2 -> 1 -> 0
  plan.jobs[1].after = {2};
  plan.jobs[4].after = {3};
  plan.jobs[5].after = {1, 4};
  JobTable table(plan, 2);
  table.started(2);
  table.outcome(2).state = JobState::Done;
  table.started(3);
  table.outcome(3).state = JobState::Failed;
  table.leave_for_later();
  EXPECT_EQ(table.outcome(0).state, JobState::Queued);
  EXPECT_EQ(table.outcome(1).state, JobState::Queued);
  EXPECT_EQ(table.outcome(4).state, JobState::Blocked) << "what it waits for failed";
  EXPECT_EQ(table.outcome(5).state, JobState::Blocked);
  EXPECT_FALSE(table.any_ready());
}

}  // namespace
}  // namespace rubato
