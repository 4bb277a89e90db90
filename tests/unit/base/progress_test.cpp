#include "engine/base/progress.h"

#include <gtest/gtest.h>

#include <vector>

#include "engine/base/check.h"

namespace rubato {
namespace {

// A meter on a clock that the test turns.
struct Rig {
  double now = 0;
  std::vector<Progress> seen;
  ProgressMeter meter;
  explicit Rig(std::vector<ProgressMeter::Phase> phases)
      : meter(std::move(phases), [this](const Progress& p) { seen.push_back(p); }, [this] { return now; }) {}
  const Progress& last() const { return seen.back(); }
};

TEST(ProgressTest, HidesItsEstimateUntilItKnows) {
  Rig rig({{"load", 1, 0.5}, {"denoise", 10, 0}, {"decode", 5, 10}});
  rig.meter.begin("load", 1);
  EXPECT_LT(rig.last().eta_s, 0) << "denoise has no weight yet";
  rig.now = 1;
  rig.meter.advance(1);
  rig.meter.begin("denoise", 10);
  rig.now += 2;
  rig.meter.advance(1);
  EXPECT_LT(rig.last().eta_s, 0) << "one step is no basis";
  rig.now += 2;
  rig.meter.advance(2);
  EXPECT_DOUBLE_EQ(rig.last().eta_s, 8 * 2 + 10);
  EXPECT_LE(rig.last().eta_lo_s, rig.last().eta_s);
  EXPECT_GE(rig.last().eta_hi_s, rig.last().eta_s);
}

TEST(ProgressTest, UsesWeightsBeforeAnythingIsMeasured) {
  Rig rig({{"denoise", 10, 20}, {"decode", 5, 10}});
  rig.meter.begin("denoise", 10);
  EXPECT_DOUBLE_EQ(rig.last().eta_s, 30);
}

TEST(ProgressTest, ScalesUnknownPhasesFromTheRunningOneByTheirShares) {
  Rig rig({{"load", 2, 0, 1}, {"denoise", 10, 0, 80}, {"decode", 5, 0, 19}});
  rig.meter.begin("load", 2);
  for (int i = 1; i <= 2; ++i) {
    rig.now += 3;
    rig.meter.advance(i);
  }
  EXPECT_LT(rig.last().eta_s, 0) << "a small phase says nothing about a large one";
  EXPECT_DOUBLE_EQ(rig.last().fraction, 0.01) << "a slow start is not half of the job";
  rig.meter.begin("denoise", 10);
  for (int i = 1; i <= 2; ++i) {
    rig.now += 8;
    rig.meter.advance(i);
  }
  EXPECT_DOUBLE_EQ(rig.last().eta_s, 8 * 8 + 19);
  EXPECT_DOUBLE_EQ(rig.last().eta_hi_s - rig.last().eta_lo_s, 19);
}

TEST(ProgressTest, WidensTheRangeWithTheSpreadOfSteps) {
  const auto width = [](double slow, double fast) {
    Rig rig({{"denoise", 20, 0}});
    rig.meter.begin("denoise", 20);
    for (int i = 1; i <= 6; ++i) {
      rig.now += i % 2 == 0 ? slow : fast;
      rig.meter.advance(i);
    }
    return rig.last().eta_hi_s - rig.last().eta_lo_s;
  };
  EXPECT_GT(width(3, 1), width(2.1, 1.9));
}

TEST(ProgressTest, NeverRunsBackwardsAndEndsAtOne) {
  Rig rig({{"load", 1, 5}, {"denoise", 4, 4}, {"decode", 2, 1}});
  double before = 0;
  const auto check = [&] {
    for (const auto& p : rig.seen) {
      EXPECT_GE(p.fraction, before);
      before = p.fraction;
    }
    rig.seen.clear();
  };
  rig.meter.begin("load", 1);
  rig.now += 0.1;
  rig.meter.advance(1);
  rig.meter.begin("denoise", 4);
  for (int i = 1; i <= 4; ++i) {
    rig.now += 10;
    rig.meter.advance(i);
  }
  rig.meter.begin("decode", 2);
  rig.now += 1;
  rig.meter.advance(2);
  EXPECT_DOUBLE_EQ(rig.last().fraction, 1.0);
  EXPECT_DOUBLE_EQ(rig.last().eta_s, 0.0);
  check();
}

TEST(ProgressTest, CountsAPhaseAnewWhenItRunsAgain) {
  Rig rig({{"denoise", 2, 1}, {"decode", 4, 0}});
  rig.meter.begin("denoise", 2);
  rig.meter.advance(2);
  rig.meter.begin("decode", 4);
  rig.now += 1;
  rig.meter.advance(1);
  rig.meter.begin("decode", 8);  // again with smaller tiles
  EXPECT_EQ(rig.last().done, 0);
  EXPECT_EQ(rig.last().total, 8);
  rig.now += 4;
  rig.meter.advance(99);
  EXPECT_EQ(rig.last().done, 8) << "more units than announced do not give more than the whole";
  EXPECT_DOUBLE_EQ(rig.meter.seconds()[1].second, 4);
}

TEST(ProgressTest, RefusesPhasesThatWereNotPlanned) {
  Rig rig({{"denoise", 2, 1}});
  EXPECT_THROW(rig.meter.begin("dreaming", 1), InternalError);
  EXPECT_THROW(rig.meter.advance(1), InternalError);
}

}  // namespace
}  // namespace rubato
