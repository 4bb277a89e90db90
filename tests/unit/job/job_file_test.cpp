// Job files: many jobs in one file, and everything that can be wrong with it.
#include "pipelines/job/batch/job_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <string>

#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

BatchFile read(std::string_view text, std::string_view name = "shots.yaml") {
  auto file = parse_batch(text, name, "/jobs");
  EXPECT_TRUE(file.ok()) << file.error().message << '\n' << text.substr(0, 2000);
  return file.ok() ? std::move(*file) : BatchFile{};
}
std::string fault(std::string_view text, std::string_view name = "shots.yaml", const BatchLimits& limits = {}) {
  const auto file = parse_batch(text, name, "/jobs", limits);
  if (file.ok()) return "";
  EXPECT_EQ(file.error().code, ErrorCode::JobInvalid);
  return file.error().message;
}
std::vector<std::string> ids(const BatchFile& file) {
  std::vector<std::string> list;
  for (const auto& job : file.jobs) list.push_back(job.job.id);
  return list;
}
const BatchJob& by_id(const BatchFile& file, std::string_view id) {
  for (const auto& job : file.jobs)
    if (job.job.id == id) return job;
  ADD_FAILURE() << "no job " << id;
  return file.jobs.front();
}

// ---- What a file means -------------------------------------------------------------------------------------------

TEST(JobFile, DefaultsPresetsOwnKeysAndMatrixAreLaidOverEachOther) {
  const auto file = read(R"(
version: 1
defaults: {model: practice-video, steps: 20, fps: 12, preset: draft, priority: 1}
presets:
  draft: {steps: 8, guidance: 3}
  fine: {steps: 40, guidance: 5, priority: 5}
matrix: {size: [256x256, 384x256]}
jobs:
  - {id: ring, prompt: a ring}
  - {id: cube, prompt: a cube, preset: fine, guidance: 7, priority: 9}
)");
  EXPECT_THAT(ids(file), ElementsAre("ring.1", "ring.2", "cube.1", "cube.2"));
  EXPECT_EQ(file.jobs[0].job.steps, 8);
  EXPECT_EQ(file.jobs[0].job.fps, 12);
  EXPECT_EQ(file.jobs[0].preset, "draft");
  EXPECT_EQ(file.jobs[0].priority, 1);
  EXPECT_EQ(file.jobs[1].job.size, (Size{384, 256}));
  EXPECT_EQ(file.jobs[2].job.steps, 40);
  EXPECT_EQ(file.jobs[2].job.guidance, 7);
  EXPECT_EQ(file.jobs[2].priority, 9);
  EXPECT_EQ(file.jobs[3].index, 4);
  EXPECT_EQ(file.jobs[3].source, "shots.yaml, line 10");
}

TEST(JobFile, MatrixIsACartesianProductInTheOrderOfTheFile) {
  const auto file = read(R"(
matrix:
  steps: [10, 20]
  look: [day, night]
  exclude: [{steps: 20, look: night}]
jobs: [{id: a, prompt: "a ring by {var.look}", out: "{job}-{var.look}.mp4"}]
)");
  ASSERT_EQ(file.jobs.size(), 3u);
  EXPECT_EQ(file.jobs[0].job.prompt, "a ring by day");
  EXPECT_EQ(file.jobs[1].job.prompt, "a ring by night");
  EXPECT_EQ(file.jobs[1].job.steps, 10);
  EXPECT_EQ(file.jobs[2].job.prompt, "a ring by day");
  EXPECT_EQ(file.jobs[2].job.steps, 20);
  EXPECT_EQ(file.jobs[2].variables.at("look"), "day");
}

TEST(JobFile, MatrixMayChooseThePreset) {
  const auto file = read(R"(
presets: {a: {steps: 3}, b: {steps: 4, seeds: 1..2}}
matrix: {preset: [a, b]}
jobs: [{prompt: x}]
)");
  ASSERT_EQ(file.jobs.size(), 3u);
  EXPECT_EQ(file.jobs[0].job.steps, 3);
  EXPECT_EQ(file.jobs[0].job.seed, std::nullopt);
  EXPECT_EQ(file.jobs[2].job.steps, 4);
  EXPECT_EQ(file.jobs[2].job.seed, 2u);
  EXPECT_EQ(file.jobs[2].preset, "b");
}

TEST(JobFile, SeedsMakeOneJobEach) {
  const auto seeds = [](std::string_view written) {
    std::vector<std::uint64_t> list;
    for (const auto& job : read("jobs: [{id: a, prompt: x, seeds: " + std::string(written) + "}]").jobs)
      list.push_back(job.job.seed.value_or(999));
    return list;
  };
  EXPECT_THAT(seeds("1..4"), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(seeds("[7, 3, '10..11']"), ElementsAre(7, 3, 10, 11));
  EXPECT_THAT(seeds("'1..2, 9'"), ElementsAre(1, 2, 9));
  EXPECT_THAT(seeds("5"), ElementsAre(5));
  EXPECT_THAT(seeds("18446744073709551614..18446744073709551615"), ElementsAre(UINT64_MAX - 1, UINT64_MAX));
  EXPECT_THAT(ids(read("[{id: a, prompt: x, seeds: 1..2}, {id: b, prompt: x, seeds: 4}]")),
              ElementsAre("a.1", "a.2", "b"));
}

TEST(JobFile, OwnSeedTakesTheDefaultsSeedsAway) {
  const auto file = read("{defaults: {seeds: 1..3}, jobs: [{prompt: a, seed: 7}, {prompt: b}]}");
  ASSERT_EQ(file.jobs.size(), 4u);
  EXPECT_EQ(file.jobs[0].job.seed, 7u);
  EXPECT_EQ(file.jobs[3].job.seed, 3u);
}

TEST(JobFile, AfterMeansAllThatAJobBecame) {
  const auto file = read(R"(
jobs:
  - {id: last, prompt: x, after: [shot, intro, shot.1]}
  - {id: shot, prompt: x, seeds: 1..3}
  - {id: intro, prompt: x}
  - {id: one, prompt: x, after: shot.2}
)");
  EXPECT_THAT(by_id(file, "last").after, ElementsAre("shot.1", "shot.2", "shot.3", "intro"));
  EXPECT_THAT(by_id(file, "one").after, ElementsAre("shot.2"));
  EXPECT_THAT(by_id(file, "shot.1").after, IsEmpty());
}

TEST(JobFile, ListsAndSingleJobsNeedNoFrame) {
  EXPECT_EQ(read("[{prompt: a}, {prompt: b}]").jobs.size(), 2u);
  EXPECT_EQ(read(R"([{"prompt": "a"}, {"prompt": "b"}])", "shots.json").jobs.size(), 2u);
  const auto one = read("version: 1\nkind: video\nprompt: a\nframes: 17\n");
  ASSERT_EQ(one.jobs.size(), 1u);
  EXPECT_EQ(one.jobs[0].job.frames, 17);
  EXPECT_EQ(one.jobs[0].job.id, "job-1");
}

TEST(JobFile, LinesAreOneObjectEach) {
  const auto file = read("{\"prompt\": \"a\", \"seeds\": \"1..2\"}\n\n{\"prompt\": \"b\"}\r\n", "shots.jsonl");
  ASSERT_EQ(file.jobs.size(), 3u);
  EXPECT_EQ(file.jobs[2].source, "shots.jsonl, line 3");
  EXPECT_EQ(file.format, BatchFormat::JsonLines);
}

TEST(JobFile, FormatIsToldByContentWhereTheNameSaysNothing) {
  EXPECT_EQ(read("{\"prompt\":\"a\"}\n{\"prompt\":\"b\"}\n", "jobs").format, BatchFormat::JsonLines);
  EXPECT_EQ(read("[\n{\"prompt\":\"a\"}]", "jobs.txt").format, BatchFormat::Json);
  EXPECT_EQ(read("id,prompt\na,b\n", "jobs.txt").format, BatchFormat::Csv);
  EXPECT_EQ(read("- prompt: one, two\n", "jobs.txt").format, BatchFormat::Yaml);
}

TEST(JobFile, DottedKeysAreNestedOnes) {
  const auto file = read("[{prompt: a, rate.method: full, var.look: day, negative_prompt: 'not {var.look}'}]");
  EXPECT_EQ(file.jobs[0].job.negative_prompt, "not day");
  EXPECT_THAT(
      fault("[{prompt: a, rate.method: fulll}]"),
      HasSubstr("shots.yaml, line 1, column 14: rate has no method 'fulll'; there is full; did you mean 'full'?"));
  EXPECT_THAT(fault("[{prompt: a, rate.methd: full}]"),
              HasSubstr("unknown key 'rate.methd'; did you mean 'rate.method'?"));
  EXPECT_THAT(fault("[{prompt: a, rate.method: full, rate: {method: full}}]"), HasSubstr("says a second time"));
}

TEST(JobFile, InputsStartAtTheFilesFolder) {
  const auto file = read("[{prompt: a, image: in/first.png, model: ./wan, out: a.mp4}]");
  EXPECT_EQ(file.jobs[0].job.image, "/jobs/in/first.png");
  EXPECT_EQ(file.jobs[0].job.model, "/jobs/wan");
  EXPECT_EQ(file.jobs[0].job.out, "a.mp4");
}

TEST(JobFile, InputsOfAFileNamedFromHereAreAbsolute) {
  test::TempFolder folder;
  std::ofstream(folder / "shots.yaml") << "[{prompt: a, image: first.png, model: ./wan}]";
  const auto file = read_batch(std::filesystem::relative(folder / "shots.yaml"));
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_TRUE(std::filesystem::path(file->jobs[0].job.image).is_absolute());
  EXPECT_EQ(std::filesystem::weakly_canonical(file->jobs[0].job.model), folder / "wan");
}

TEST(JobFile, GeneratedIdsMakeRoomForGivenOnes) {
  EXPECT_THAT(ids(read("[{prompt: a}, {prompt: b, id: job-1}, {prompt: c}]")), ElementsAre("job-1_", "job-1", "job-3"));
}

// ---- Tables ------------------------------------------------------------------------------------------------------

TEST(JobFileCsv, CellsAreReadByTheRulesOfTheirFields) {
  const auto file = read(
      "\xEF\xBB\xBFid,prompt,steps,size,seeds,keep_latents,rate.method,after,priority,var.look,negative_prompt\r\n"
      "a,\"a ring, red\",12,256x256,1..2,yes,full,,1.5,day,\r\n"
      "b,\"says \"\"hi\"\"\nand goes\",,,7,,,a,,,\"\"\r\n"
      ",,,,,,,,,,\r\n"
      "\r\n"
      "c,123,,,,,,\"a.1, b\",,,none\n",
      "shots.csv");
  ASSERT_THAT(ids(file), ElementsAre("a.1", "a.2", "b", "c"));
  EXPECT_EQ(file.jobs[0].job.prompt, "a ring, red");
  EXPECT_EQ(file.jobs[0].job.steps, 12);
  EXPECT_EQ(file.jobs[1].job.seed, 2u);
  EXPECT_TRUE(file.jobs[0].job.keep_latents);
  EXPECT_EQ(file.jobs[0].priority, 1.5);
  EXPECT_EQ(file.jobs[0].variables.at("look"), "day");
  EXPECT_EQ(file.jobs[0].job.negative_prompt, std::nullopt);
  EXPECT_EQ(file.jobs[2].job.prompt, "says \"hi\"\nand goes");
  EXPECT_EQ(file.jobs[2].job.negative_prompt, "");
  EXPECT_EQ(file.jobs[2].source, "shots.csv, line 3");
  EXPECT_THAT(file.jobs[2].after, ElementsAre("a.1", "a.2"));
  EXPECT_EQ(file.jobs[3].job.prompt, "123");
  EXPECT_EQ(file.jobs[3].source, "shots.csv, line 7");
  EXPECT_THAT(file.jobs[3].after, ElementsAre("a.1", "b"));
  EXPECT_THAT(file.columns, ElementsAre("id", "prompt", "steps", "size", "seeds", "keep_latents", "rate.method",
                                        "after", "priority", "var.look", "negative_prompt"));
}

TEST(JobFileCsv, AWriterThatQuotesEverythingLeavesEmptyCellsUnset) {
  const auto file = read("\"prompt\",\"frames\",\"negative_prompt\"\n\"a\",\"\",\"\"\n", "shots.csv");
  EXPECT_EQ(file.jobs[0].job.frames, std::nullopt);
  EXPECT_EQ(file.jobs[0].job.negative_prompt, std::nullopt);
}

TEST(JobFileCsv, ReasonOfAnEarlierRunMeansNothing) {
  const auto file = read("prompt,reason\na,the disk was full\n", "failed.csv");
  EXPECT_THAT(file.columns, ElementsAre("prompt"));
}

TEST(JobFileCsv, BadHeadersAndRowsAreNamedAtOnce) {
  EXPECT_EQ(
      fault("prompt,prompt,,promt,steps\na,b,c,d,5000\nx,y\nu,v,w,z,many\n", "shots.csv"),
      "shots.csv, line 1, column 8: the column 'prompt' stands twice\n"
      "shots.csv, line 1, column 15: column 3 has no name; name it or delete it\n"
      "shots.csv, line 1, column 16: unknown key 'promt'; did you mean 'prompt'?\n"
      "shots.csv, line 2, column 9: steps is 5000; it must be 1 to 1000 (nearest: 1000)\n"
      "shots.csv, line 3, column 1: the row has 2 cells, but the header has 5; a text with commas must be in quotes\n"
      "shots.csv, line 4, column 9: steps is 'many'; it must be a whole number, 1 to 1000");
}

TEST(JobFileCsv, BadQuotingIsRefusedWhereItBegins) {
  EXPECT_THAT(fault("id,prompt\na,\"never closed\nb,x\n", "shots.csv"),
              HasSubstr("shots.csv, line 2, column 3: the quote that begins here is never closed"));
  EXPECT_THAT(fault("id,prompt\na,\"é\" x\n", "shots.csv"), HasSubstr("line 2, column 6: text behind a closing quote"));
  EXPECT_THAT(fault("id,prompt\na,so \"it\" is\n", "shots.csv"), HasSubstr("line 2, column 6: a quote inside a cell"));
  EXPECT_THAT(fault("id,prompt\ra,b\n", "shots.csv"), HasSubstr("line 1, column 10: a lone carriage return"));
  EXPECT_THAT(fault("id;prompt\na;b\n", "shots.csv"), HasSubstr("separated by semicolons; save the table with commas"));
  EXPECT_THAT(fault("id\tprompt\na\tb\n", "shots.csv"), HasSubstr("separated by tabs"));
}

TEST(JobFileCsv, OtherEncodingsAreNamed) {
  EXPECT_THAT(fault(std::string("\xFF\xFE"
                                "p\0r\0",
                                6),
                    "shots.csv"),
              HasSubstr("UTF-16 text; save it as UTF-8"));
  EXPECT_THAT(fault("prompt\na\nr\xF6t\n", "shots.csv"), HasSubstr("shots.csv, line 3: not valid UTF-8"));
  EXPECT_THAT(fault(std::string("prompt\na\0b\n", 11), "shots.csv"), HasSubstr("NUL"));
}

// ---- Bad files ---------------------------------------------------------------------------------------------------

TEST(JobFileErrors, AllAreNamedAtOnceInTheOrderOfTheText) {
  EXPECT_EQ(fault(R"(version: 2
defaults: {stesp: 4}
presets:
  fine: {frames: 0, id: x}
jobs:
  - {id: a, prompt: x, preset: fien}
  - {id: a, prompt: y, after: [b]}
  - {prompt: " ", seed: 1, seeds: 1..3}
jbos: []
)"),
            "shots.yaml, line 1, column 1: the version is 2; this Rubato reads version 1\n"
            "shots.yaml, line 2, column 12: unknown key 'stesp'; did you mean 'steps'?\n"
            "shots.yaml, line 4, column 10: frames is 0; it must be 1 to 4097 (nearest: 1)\n"
            "shots.yaml, line 4, column 21: every job has an id of its own; it cannot stand here\n"
            "shots.yaml, line 6, column 24: there is no preset 'fien'; did you mean 'fine'?\n"
            "shots.yaml, line 7, column 6: the id 'a' stands twice; the first is that of line 6\n"
            "shots.yaml, line 7, column 24: 'a' waits for 'b', but no job has this id; did you mean 'a'?\n"
            "shots.yaml, line 8, column 5: the job has no prompt; say what the video shows: prompt: …\n"
            "shots.yaml, line 8, column 28: a job takes either seed or seeds, not both\n"
            "shots.yaml, line 9, column 1: unknown key 'jbos'; did you mean 'jobs'?; a job file has version, defaults, "
            "presets, matrix, jobs");
}

TEST(JobFileErrors, WhatManyJobsShareIsReportedOnce) {
  EXPECT_EQ(fault("{matrix: {steps: [5, 0]}, jobs: [{prompt: a}, {prompt: b}, {prompt: c}]}"),
            "shots.yaml, line 1, column 11: steps is 0; it must be 1 to 1000 (nearest: 1)");
}

TEST(JobFileErrors, LongListsAreCut) {
  std::string text = "prompt,steps\n";
  for (int i = 0; i < 50; ++i) text += "a,0\n";
  EXPECT_THAT(fault(text, "shots.csv"), HasSubstr("\nand 30 more problems"));
}

TEST(JobFileErrors, YamlAnchorsAliasesAndTagsAreRefused) {
  EXPECT_THAT(fault("defaults: &d {steps: 3}\njobs: [{prompt: a}]\n"), HasSubstr("line 1, column 11: anchors (&name)"));
  EXPECT_THAT(fault("jobs:\n  - {prompt: *d}\n"), HasSubstr("line 2"));
  EXPECT_THAT(fault("jobs: [{prompt: !!python/object x}]\n"), HasSubstr("tags (tag:yaml.org,2002:python/object)"));
  EXPECT_THAT(fault("jobs: [{prompt: a}]\n---\njobs: []\n"), HasSubstr("only one document"));
}

TEST(JobFileErrors, DeepNestingIsRefused) {
  const std::string deep(17, '['), out(17, ']');
  EXPECT_THAT(fault(deep + out), HasSubstr("nested deeper than 16 levels"));
  EXPECT_THAT(fault(deep + out, "shots.json"), HasSubstr("nested deeper than 16 levels"));
  EXPECT_THAT(fault("{\"prompt\": " + deep + out + "}\n", "shots.jsonl"), HasSubstr("nested deeper than 16 levels"));
}

TEST(JobFileErrors, BadLinesAreAllNamedWithTheirNumbers) {
  EXPECT_EQ(fault("{\"prompt\": \"a\"}\n{\"prompt\": }\n{\"prompt\": \"b\"}\n{\"prompt\": \"a\", \"prompt\": \"b\"}\n",
                  "s.jsonl")
                .substr(0, 25),
            "s.jsonl, line 2, column 1");
  EXPECT_THAT(fault("{}\n{\"prompt\": }\n{\"a\": 1, \"a\": 2}\n", "s.jsonl"),
              HasSubstr("\ns.jsonl, line 3, column 10: the key 'a' stands twice"));
}

TEST(JobFileErrors, SizesAreLimited) {
  const BatchLimits small{.max_bytes = 100, .max_jobs = 4, .max_string = 10};
  EXPECT_THAT(fault(std::string(101, ' '), "a.yaml", small),
              HasSubstr("a.yaml has 101 bytes; at most 100 are allowed"));
  EXPECT_THAT(fault("[{prompt: abcdefghijklmn}]", "a.yaml", small), HasSubstr("longer than 10 bytes"));
  EXPECT_THAT(fault("prompt\nabcdefghijklmn\n", "a.csv", small), HasSubstr("longer than 10 bytes"));
  EXPECT_THAT(fault("prompt\na\nb\nc\nd\ne\n", "a.csv", small), HasSubstr("more than 4 jobs"));
  EXPECT_THAT(fault("{}\n{}\n{}\n{}\n{}\n", "a.jsonl", small), HasSubstr("more than 4 jobs"));
  EXPECT_THAT(fault("[{prompt: a, seeds: 1..5}]", "a.yaml", small), HasSubstr("more than 4 jobs"));
  EXPECT_THAT(fault("{matrix: {steps: [1, 2, 3]}, jobs: [{prompt: a, seeds: 1..2}]}", "a.yaml", small),
              HasSubstr("more than 4 jobs"));
  EXPECT_EQ(fault("[{prompt: a, seeds: 1..4}]", "a.yaml", small), "");
}

TEST(JobFileErrors, HugeExpansionsAreCountedAndNotMade) {
  const auto before = std::chrono::steady_clock::now();
  EXPECT_THAT(fault("[{prompt: a, seeds: 0..18446744073709551615}]"), HasSubstr("more than 100000 jobs"));
  EXPECT_THAT(fault("[{prompt: a, seeds: [0..18446744073709551614, 18446744073709551615]}]"),
              HasSubstr("more than 100000 jobs"));
  std::string matrix = "{jobs: [{prompt: a}], matrix: {";
  for (int axis = 0; axis < 30; ++axis) matrix += "a" + std::to_string(axis) + ": [1,2,3,4,5,6,7,8,9], ";
  EXPECT_THAT(fault(matrix + "}}"), HasSubstr("more than 100000 combinations"));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(1));
}

TEST(JobFileErrors, FilesOverSixteenMebibytesAreRefused) {
  test::TempFolder folder;
  const auto path = folder.path() / "large.yaml";
  std::ofstream(path) << std::string((16u << 20) + 1, ' ');
  const auto file = read_batch(path);
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code, ErrorCode::JobInvalid);
  EXPECT_EQ(file.error().message, "large.yaml has 16777217 bytes; at most 16777216 are allowed");
  const auto missing = read_batch(folder.path() / "none.yaml");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::CannotRead);
}

TEST(JobFileErrors, CirclesAreNamedInTheirOrder) {
  EXPECT_EQ(fault(R"([{id: a, prompt: x, after: b},
{id: b, prompt: x, after: [c, d]},
{id: c, prompt: x, after: a},
{id: d, prompt: x}])"),
            "shots.yaml, line 1, column 21: these jobs wait for each other: a → b → c → a");
  EXPECT_THAT(fault("[{id: a, prompt: x, after: a}]"), HasSubstr("'a' waits for itself"));
  EXPECT_THAT(fault("[{id: a, prompt: x, seeds: 1..3, after: a.2}]"), HasSubstr("'a' waits for itself"));
}

TEST(JobFileErrors, LongChainsAreNoCircles) {
  std::string text = "id,prompt,after\n";
  for (int i = 0; i < 20000; ++i) text += fmt::format("s{},x,{}\n", i, i + 1 < 20000 ? fmt::format("s{}", i + 1) : "");
  EXPECT_EQ(read(text, "shots.csv").jobs.size(), 20000u);
}

TEST(JobFileErrors, DependenciesAreBounded) {
  EXPECT_THAT(fault("[{id: a, prompt: x, seeds: 1..2000}, {id: b, prompt: x, seeds: 1..2000, after: a}]"),
              HasSubstr("more than 1000000 jobs to wait for"));
}

TEST(JobFileErrors, OtherKindsAreNamed) {
  EXPECT_THAT(fault("[{prompt: a, kind: image}]"), HasSubstr("jobs of kind 'image' cannot be run from a file yet"));
  EXPECT_THAT(fault("[{prompt: a, kind: vidoe}]"),
              HasSubstr("the kind is 'vidoe'; it must be 'video'; did you mean 'video'?"));
}

TEST(JobFileErrors, SeedsSayWhatIsWrong) {
  EXPECT_THAT(fault("[{prompt: a, seeds: 5..2}]"), HasSubstr("seeds has 5..2, which runs backwards; write 2..5"));
  EXPECT_THAT(fault("[{prompt: a, seeds: [1, 1]}]"), HasSubstr("seeds has 1 twice"));
  EXPECT_THAT(fault("[{prompt: a, seeds: [1..5, 3]}]"), HasSubstr("seeds has 3 twice"));
  EXPECT_THAT(fault("[{prompt: a, seeds: 1-5}]"), HasSubstr("seeds has '1-5'; it must be seeds like 1..8"));
  EXPECT_THAT(fault("[{prompt: a, seeds: -1}]"), HasSubstr("whole numbers from 0 on"));
  EXPECT_THAT(fault("[{prompt: a, seeds: []}]"), HasSubstr("is empty"));
  EXPECT_THAT(fault("[{prompt: a, seed: -1}]"), HasSubstr("seed is -1"));
}

TEST(JobFileErrors, MatrixSaysWhatIsWrong) {
  const auto with = [](std::string_view matrix) {
    return fault("{jobs: [{prompt: a, steps: 3, id: j}], matrix: {" + std::string(matrix) + "}}");
  };
  EXPECT_THAT(with("frames: 5"), HasSubstr("'frames' in the matrix must be a list of values: frames: [a, b]"));
  EXPECT_THAT(with("frames: []"), HasSubstr("must be a list of values"));
  EXPECT_THAT(with("steps: [1, 2]"), HasSubstr("line 1, column 21: the matrix sets 'steps' as well"));
  EXPECT_THAT(with("fraems: [5, 9]"), HasSubstr("nothing uses {var.fraems}; did you mean 'frames'?"));
  EXPECT_THAT(with("seeds: [5, 9]"), HasSubstr("write seed: [1, 2, 3]"));
  EXPECT_THAT(with("id: [a, b]"), HasSubstr("belongs to a job of its own"));
  EXPECT_THAT(with("frames: [5, 9], exclude: [{frame: 5}]"),
              HasSubstr("'frame' is not a key of the matrix; did you mean 'frames'?"));
  EXPECT_THAT(with("frames: [5, 9], exclude: [{frames: 6}]"), HasSubstr("does not have this value"));
  EXPECT_THAT(with("frames: [5, 9], exclude: [{frames: 5}, {frames: 9}]"), HasSubstr("every combination"));
  EXPECT_THAT(with("look: [[1]]"), HasSubstr("must be a number or a text without NUL"));
  EXPECT_EQ(with("frames: [5, 9], exclude: [{frames: 5}]"), "");
  // Near a key of a job, but used; a variable of another job hides nothing.
  EXPECT_EQ(fault("{jobs: [{prompt: '{var.a}', var: {a: 1}}, {prompt: 'a {var.stepp}'}], matrix: {stepp: [5, 9]}}"),
            "");
}

TEST(JobFileErrors, VariablesMustBeThere) {
  EXPECT_THAT(fault("[{prompt: 'a {var.lok}', var: {look: day}}]"),
              HasSubstr("prompt uses {var.lok}, but the job has no such variable; did you mean 'var.look'?"));
  EXPECT_THAT(fault("[{prompt: a, out: '{var.lok}.mp4', var: {look: day}}]"),
              HasSubstr("out: the name uses {var.lok}, but the job has no such variable; did you mean 'var.look'?"));
  EXPECT_THAT(fault("[{prompt: 'a {var.', var: {look: day}}]"), HasSubstr("'{var.' without a variable's name"));
  EXPECT_THAT(fault("[{prompt: '{{var.a}}', var: {a: var.a}}]"), HasSubstr("would hold '{var.'"));
  EXPECT_THAT(fault(R"([{"prompt": "a {var.a}", "var": {"a": "x\u0000"}}])", "a.json"), HasSubstr("without NUL"));
  EXPECT_EQ(read("[{prompt: 'a {red|blue} {thing}'}]").jobs[0].job.prompt, "a {red|blue} {thing}");
}

TEST(JobFileErrors, OutputsStayInTheFolder) {
  for (const char* out : {"../a.mp4", "/tmp/a.mp4", "a/../../b.mp4", "a/./b.mp4", ".rubato/x.mp4", "-a.mp4", "con.mp4",
                          "a\\\\b.mp4", "a\\u0007.mp4", "a//b.mp4", "a:b.mp4", "{sed}.mp4", "{seed.mp4"}) {
    EXPECT_THAT(fault("[{prompt: a, out: \"" + std::string(out) + "\"}]"), HasSubstr("line 1, column 14: out")) << out;
    EXPECT_THAT(fault("[{prompt: a, trace: \"" + std::string(out) + "\"}]"), HasSubstr("line 1, column 14: trace"))
        << out;
  }
  EXPECT_THAT(fault("[{prompt: a, out: con.mp4}]"), HasSubstr("write 'con_.mp4'"));
}

TEST(JobFileErrors, OneFileForTwoJobsIsRefused) {
  EXPECT_THAT(fault("[{prompt: a, out: a.mp4},\n{prompt: b, out: a.mp4}]"),
              HasSubstr("line 2, column 1: out 'a.mp4' is the output of the job of line 1 as well"));
  EXPECT_THAT(fault("[{prompt: a, out: a.mp4, seeds: 1..2}]"), HasSubstr("names one file for 2 jobs; put {index}"));
  EXPECT_EQ(fault("[{prompt: a, out: 'a-{seed}.mp4', seeds: 1..2}]"), "");
}

TEST(JobFileErrors, NothingToDoIsAnError) {
  EXPECT_THAT(fault("jobs: []"), HasSubstr("has no jobs"));
  EXPECT_THAT(fault("prompt,steps\n", "a.csv"), HasSubstr("has no jobs"));
  EXPECT_THAT(fault("   \n"), HasSubstr("is empty"));
  EXPECT_THAT(fault("just text"), HasSubstr("holds no jobs"));
  EXPECT_THAT(fault("[1, two]"), HasSubstr("a job must be an object"));
  EXPECT_THAT(fault("{defaults: {steps: 3}}"), HasSubstr("the jobs must be a list"));
}

TEST(JobFileErrors, LongIdsLeaveRoomForNumbers) {
  EXPECT_THAT(fault("[{id: " + std::string(64, 'x') + ", prompt: a, seeds: 1..2}]"),
              HasSubstr("62 bytes are left for it"));
  EXPECT_THAT(fault("[{id: a, prompt: x, seeds: 1..2}, {id: a.2, prompt: x}]"), HasSubstr("the id 'a.2' stands twice"));
}

// How long it takes is printed, not judged: tests run on busy machines and under sanitizers.
TEST(JobFile, TenThousandJobsAreRead) {
  std::string csv = "id,prompt,seed,steps,size,out\n", yaml = "defaults: {steps: 20}\njobs:\n", json = "[";
  for (int i = 0; i < 10000; ++i) {
    csv += fmt::format("shot{0},\"a ring, number {0}\",{0},20,256x256,{{job}}-{{seed}}.mp4\n", i);
    yaml += fmt::format("  - {{id: shot{0}, prompt: \"a ring, number {0}\", seed: {0}, size: 256x256}}\n", i);
    json += fmt::format("{}{{\"id\": \"shot{}\", \"prompt\": \"a ring\", \"seed\": {}}}\n", i > 0 ? "," : "", i, i);
  }
  for (const auto& [text, name] : {std::pair{csv, "a.csv"}, {yaml, "a.yaml"}, {json + "]", "a.json"}}) {
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(read(text, name).jobs.size(), 10000u);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - before;
    RecordProperty(name, std::to_string(took.count()));
    std::printf("%s: %.3f s\n", name, took.count());
  }
}

}  // namespace
}  // namespace rubato
