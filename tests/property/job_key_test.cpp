// A job's key depends on what is made, and on nothing else: not on spelling, not on where the result goes.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/base/json.h"
#include "pipelines/job/schema.h"
#include "pipelines/job/yaml.h"
#include "tests/property/job_spelling.h"

namespace rubato::test {
namespace {

using nlohmann::json;

constexpr int kJobs = 300;

std::string key(const VideoJob& job) { return job_key(job, {"a", "b"}, 1); }

TEST(JobKeyProperty, SpellingDoesNotMatter) {
  std::mt19937_64 random(21);
  for (int i = 0; i < kJobs; ++i) {
    const auto job = random_job(random);
    const auto object = video_job_to_json(job);
    const auto from_json = video_job_from_json(*parse_json(random_json(object, random), "job"), "job");
    const auto from_yaml = video_job_from_json(*parse_yaml(random_yaml(object, random), "job"), "job");
    VideoJob from_flags;
    ASSERT_TRUE(apply_flags(from_flags, random_flags(job, random)).ok());
    for (const auto& other : {*from_json, *from_yaml, from_flags}) {
      EXPECT_EQ(identity_json(other), identity_json(job));
      EXPECT_EQ(key(other), key(job));
    }
  }
}

// Each field on its own: one that decides what is made changes the key, another does not.
TEST(JobKeyProperty, AFieldMattersExactlyWhenItDecidesWhatIsMade) {
  std::mt19937_64 random(22);
  for (int i = 0; i < kJobs; ++i) {
    const auto job = random_job(random);
    auto changed = job;
    auto fields = fields_of(changed);
    const auto& field = fields[random() % fields.size()];
    fill_random({field}, random);
    const bool differs = video_job_to_json(changed) != video_job_to_json(job);
    EXPECT_EQ(key(changed) != key(job), differs && field.options.identity) << field.name;
  }
}

TEST(JobKeyProperty, ModelsAndTheOutputVersionMatter) {
  std::mt19937_64 random(23);
  const auto job = random_job(random);
  EXPECT_NE(job_key(job, {"a"}, 1), job_key(job, {"b"}, 1));
  EXPECT_NE(job_key(job, {"a", "b"}, 1), job_key(job, {"b", "a"}, 1));
  EXPECT_NE(job_key(job, {"ab"}, 1), job_key(job, {"a", "b"}, 1));
  EXPECT_NE(job_key(job, {"a"}, 1), job_key(job, {"a"}, 2));
}

}  // namespace
}  // namespace rubato::test
