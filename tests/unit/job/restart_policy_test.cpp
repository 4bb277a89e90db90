#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipelines/job/restart_policy.h"

namespace rubato {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class RestartPolicyTest : public ::testing::Test {
 protected:
  RestartPolicy::Clock::time_point now_{1h};
  RestartPolicy policy_{[this] { return now_; }};
};

TEST_F(RestartPolicyTest, DelaysGrowWhileNothingWorks) {
  for (const auto delay : {1000ms, 5000ms, 30000ms, 30000ms}) {
    const auto decision = policy_.died("died");
    EXPECT_TRUE(decision.restart);
    EXPECT_EQ(decision.delay, delay);
    now_ += 6min;  // so far apart that there are never three within ten minutes
  }
}

TEST_F(RestartPolicyTest, AFinishedJobStartsTheDelaysAgain) {
  EXPECT_EQ(policy_.died("died").delay, 1s);
  now_ += 6min;
  EXPECT_EQ(policy_.died("died").delay, 5s);
  policy_.worked();
  now_ += 6min;
  EXPECT_EQ(policy_.died("died").delay, 1s);
}

TEST_F(RestartPolicyTest, ThirdDeathInTenMinutesIsTheLast) {
  policy_.died("died");
  now_ += 4min;
  policy_.worked();  // finished jobs in between do not excuse it
  policy_.died("died");
  now_ += 5min + 59s;
  const auto decision = policy_.died("the engine died (SIGKILL) during denoise");
  EXPECT_FALSE(decision.restart);
  EXPECT_THAT(decision.reason, HasSubstr("3 times within 10 minutes"));
  EXPECT_THAT(decision.reason, HasSubstr("the engine died (SIGKILL) during denoise"));
  EXPECT_THAT(decision.reason, HasSubstr("rubato-cli doctor"));
}

TEST_F(RestartPolicyTest, DeathsThatAreTenMinutesPastAreForgotten) {
  policy_.died("died");
  now_ += 4min;
  policy_.died("died");
  now_ += 6min;  // exactly ten minutes after the first
  EXPECT_TRUE(policy_.died("died").restart);
  EXPECT_FALSE(policy_.died("died").restart);
}

TEST_F(RestartPolicyTest, LimitsMayBeOthers) {
  RestartPolicy strict({.delays = {1ms, 2ms, 3ms}, .deaths = 2, .window = 1s}, [this] { return now_; });
  EXPECT_EQ(strict.died("died").delay, 1ms);
  EXPECT_FALSE(strict.died("died").restart);
}

}  // namespace
}  // namespace rubato
