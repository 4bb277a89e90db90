// However a job is written down, reading it gives the job back.
#include <gtest/gtest.h>

#include "engine/base/json.h"
#include "pipelines/job/schema.h"
#include "pipelines/job/yaml.h"
#include "tests/property/job_spelling.h"

namespace rubato::test {
namespace {

using nlohmann::json;

constexpr int kJobs = 400;

TEST(JobFileProperty, CanonicalJsonIsAFixedPoint) {
  std::mt19937_64 random(11);
  for (int i = 0; i < kJobs; ++i) {
    const auto job = random_job(random);
    const auto object = video_job_to_json(job);
    const auto back = video_job_from_json(object, "job");
    ASSERT_TRUE(back.ok()) << back.error().message << '\n' << object.dump(1);
    EXPECT_EQ(*back, job) << object.dump(1);
    EXPECT_EQ(video_job_to_json(*back).dump(), object.dump());
  }
}

TEST(JobFileProperty, AnySpellingInJsonGivesTheJobBack) {
  std::mt19937_64 random(12);
  for (int i = 0; i < kJobs; ++i) {
    const auto job = random_job(random);
    const auto text = random_json(video_job_to_json(job), random);
    const auto tree = parse_json(text, "job.json");
    ASSERT_TRUE(tree.ok()) << tree.error().message << '\n' << text;
    const auto back = video_job_from_json(*tree, "job.json");
    ASSERT_TRUE(back.ok()) << back.error().message << '\n' << text;
    EXPECT_EQ(*back, job) << text;
  }
}

TEST(JobFileProperty, AnySpellingInYamlGivesTheJobBack) {
  std::mt19937_64 random(13);
  for (int i = 0; i < kJobs; ++i) {
    const auto job = random_job(random);
    const auto text = random_yaml(video_job_to_json(job), random);
    const auto tree = parse_yaml(text, "job.yaml");
    ASSERT_TRUE(tree.ok()) << tree.error().message << '\n' << text;
    const auto back = video_job_from_json(*tree, "job.yaml");
    ASSERT_TRUE(back.ok()) << back.error().message << '\n' << text;
    EXPECT_EQ(*back, job) << text;
  }
}

TEST(JobFileProperty, WhatWeWriteAsYamlReadsAsTheSameValue) {
  std::mt19937_64 random(14);
  for (int i = 0; i < kJobs; ++i) {
    const auto object = video_job_to_json(random_job(random));
    const auto text = to_yaml(object);
    const auto back = parse_yaml(text, "job.yaml");
    ASSERT_TRUE(back.ok()) << back.error().message << '\n' << text;
    EXPECT_EQ(*back, object) << text;
  }
}

TEST(JobFileProperty, FlagsInAnyOrderGiveTheJobBack) {
  std::mt19937_64 random(15);
  for (int i = 0; i < kJobs; ++i) {
    const auto job = random_job(random);
    const auto flags = random_flags(job, random);
    VideoJob back;
    const auto rest = apply_flags(back, flags);
    ASSERT_TRUE(rest.ok()) << rest.error().message << '\n' << testing::PrintToString(flags);
    EXPECT_TRUE(rest->empty()) << testing::PrintToString(*rest);
    EXPECT_EQ(back, job) << testing::PrintToString(flags);
  }
}

TEST(JobFileProperty, AKeyWithATypoIsRefusedAndTheRightOneNamed) {
  std::mt19937_64 random(16);
  VideoJob fresh;
  const auto fields = fields_of(fresh);
  for (int i = 0; i < kJobs; ++i) {
    const std::string name(fields[random() % fields.size()].name);
    auto typo = name;
    typo[random() % typo.size()] = 'j';  // no key has a j
    const auto read = video_job_from_json({{typo, "x"}}, "job");
    ASSERT_FALSE(read.ok()) << typo;
    EXPECT_NE(read.error().message.find("unknown key '" + typo + "'"), std::string::npos) << read.error().message;
    // Of short names another may be as near: fps and its neighbours.
    if (name.size() > 4) {
      EXPECT_NE(read.error().message.find("did you mean '"), std::string::npos) << read.error().message;
    }
  }
}

}  // namespace
}  // namespace rubato::test
