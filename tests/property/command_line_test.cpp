// A job's command line, read by a real shell and by the schema's own flags, is the job again.
#include "pipelines/job/command_line.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>

#include "tests/property/job_spelling.h"

namespace rubato::test {
namespace {

// What a POSIX shell makes of the words of a line.
std::vector<std::string> words_of(const std::string& line) {
  const auto script = "set -- " + line + "\nprintf '%s\\0' \"$@\"";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> shell(::popen(script.c_str(), "r"), ::pclose);
  std::string text;
  char block[4096];
  for (std::size_t n = 0; shell && (n = std::fread(block, 1, sizeof block, shell.get())) > 0;) text.append(block, n);
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\0', at);
    words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

// The job that the line makes, from an empty one; nothing may be left over.
VideoJob read_back(const std::string& line) {
  auto words = words_of(line);
  EXPECT_GE(words.size(), 3u) << line;
  EXPECT_EQ((std::vector<std::string>{words.begin(), words.begin() + 3}),
            (std::vector<std::string>{"rubato-cli", "gen", "video"}));
  words.erase(words.begin(), words.begin() + 3);
  VideoJob job;
  const auto rest = apply_flags(job, words);
  EXPECT_TRUE(rest.ok()) << line << "\n" << rest.error().message;
  if (rest.ok()) {
    EXPECT_TRUE(rest->empty()) << line << "\n" << rest->front();
  }
  return job;
}

TEST(CommandLineProperty, ReadBackItIsTheSameJob) {
  std::mt19937_64 random(31);
  for (int i = 0; i < 150; ++i) {
    const auto job = random_job(random);
    EXPECT_EQ(video_job_to_json(read_back(command_line(job))), video_job_to_json(job)) << command_line(job);
  }
}

TEST(CommandLineProperty, NoCharacterMeansAnythingToTheShell) {
  for (const std::string prompt : {"it's a \"ring\"", "$(touch /tmp/x) `id` $HOME ${HOME} \\ \\n", "two\nlines\n",
                                   "a; b & c | d > e < f", "* ? [a-z] ~", "!history #comment", "-p", "--seed",
                                   "--seed=7", "=", "'", "''", "\xE9\x9B\xA8 \xF0\x9F\x8C\xA7", "\ttab ", "%s %n"}) {
    VideoJob job;
    job.prompt = prompt;
    job.negative_prompt = prompt;
    job.out = "/a folder/it's.mp4";
    EXPECT_EQ(read_back(command_line(job)), job) << command_line(job);
  }
}

TEST(CommandLineProperty, WhatIsAsAnEmptyJobHasItIsLeftOut) {
  VideoJob job;
  job.model = "practice-video";
  job.prompt = "a small cyan ring";
  job.negative_prompt = "";  // set, to nothing: another job than an open one
  job.seed = 7;
  job.metadata = false;
  job.overwrite = "always";
  job.out = "ring.mp4";
  EXPECT_EQ(command_line(job),
            "rubato-cli gen video -m practice-video -p 'a small cyan ring' --negative-prompt='' --seed 7 "
            "--overwrite=always --no-metadata -o ring.mp4");
  EXPECT_EQ(read_back(command_line(job)), job);
}

}  // namespace
}  // namespace rubato::test
