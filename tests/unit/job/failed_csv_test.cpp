// failed.csv can be run again, and is the same jobs then. Tables in general survive writing and reading.
#include "pipelines/job/batch/failed_csv.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "engine/base/text.h"
#include "pipelines/job/batch/csv.h"
#include "pipelines/job/batch/job_file_schema.h"
#include "pipelines/job/batch/name_template.h"
#include "pipelines/job/schema.h"
#include "tests/unit/job/schema_validator.h"

namespace rubato {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

BatchFile read(std::string_view text, std::string_view name) {
  auto file = parse_batch(text, name, "/jobs");
  EXPECT_TRUE(file.ok()) << file.error().message << '\n' << text;
  return file.ok() ? std::move(*file) : BatchFile{};
}

std::vector<std::vector<std::string>> cells(std::string_view text) {
  CsvReader reader(text, "table", 1 << 20);
  std::vector<std::vector<std::string>> rows;
  while (true) {
    const auto row = reader.next();
    EXPECT_TRUE(row.ok()) << row.error().message;
    if (!row.ok() || row->empty()) return rows;
    auto& plain = rows.emplace_back();
    for (const auto& cell : *row) plain.push_back(cell.text);
  }
}

TEST(Csv, RandomTablesSurviveWritingAndReading) {
  std::mt19937_64 random(3);
  const std::vector<std::string> pieces{",", "\"", "\n", "\r\n", "\r", " ",    "a",
                                        "é", "漢", ";",  "'",    "\t", "=1+1", "\"\""};
  for (int round = 0; round < 500; ++round) {
    std::vector<std::vector<std::string>> table(1 + random() % 5, std::vector<std::string>(2 + random() % 4));
    std::string text;
    const bool windows = random() % 2 == 0;
    for (auto& row : table) {
      for (auto& cell : row)
        for (std::size_t n = random() % 5; n > 0; --n) cell += pieces[random() % pieces.size()];
      for (std::size_t i = 0; i < row.size(); ++i) text += (i > 0 ? "," : "") + csv_cell(row[i]);
      text += windows ? "\r\n" : "\n";
    }
    if (random() % 2 == 0) text.resize(text.size() - (windows ? 2 : 1));
    EXPECT_EQ(cells(text), table) << text;
  }
}

TEST(Csv, PlacesCountLinesAndCharacters) {
  CsvReader reader("a,\"é\nb\",c\r\nd,漢,e", "t", 100);
  const auto first = reader.next();
  EXPECT_EQ((*first)[2].at.line, 2);
  EXPECT_EQ((*first)[2].at.column, 4);
  const auto second = reader.next();
  EXPECT_EQ((*second)[0].at.line, 3);
  EXPECT_EQ((*second)[2].at.column, 5);
}

TEST(FailedCsv, KeepsTheColumnsOfATable) {
  const auto file = read(
      "prompt,seeds,image,steps,after,id,negative_prompt\n"
      "\"a ring, red\",1..3,in/a.png,,,ring,\"\"\n"
      "a cube,,,9,ring,cube,\n"
      "a ball,7,,,,ball,none\n",
      "shots.csv");
  const std::vector<FailedJob> failed{{&file.jobs[1], "today/ring {2}.mp4", "the disk was full, twice"},
                                      {&file.jobs[3], "", "waits for ring.2"}};
  EXPECT_EQ(failed_csv(failed, file.columns),
            "prompt,seed,image,steps,after,id,negative_prompt,out,reason\n"
            "\"a ring, red\",2,/jobs/in/a.png,,,ring.2,\"\",today/ring {{2}}.mp4,\"the disk was full, twice\"\n"
            "a cube,,,9,ring.2,cube,,,waits for ring.2\n");
}

TEST(FailedCsv, OfOtherFilesHasTheFieldsThatSaySomething) {
  const auto file = read(
      "{matrix: {look: [day, night]}, presets: {fine: {steps: 40}}, jobs: [{id: a, preset: fine, priority: 2, "
      "keep_latents: true, prompt: 'a ring by {var.look}', out: '{job}-{var.look}.mp4'}]}",
      "shots.yaml");
  const std::vector<FailedJob> failed{{&file.jobs[1], "", "NaN"}};
  EXPECT_EQ(failed_csv(failed, file.columns),
            "id,prompt,steps,out,keep_latents,priority,var.look,seed,reason\n"
            "a.2,a ring by night,40,{job}-{var.look}.mp4,true,2.0,night,,NaN\n");
}

TEST(FailedCsv, ADependencyThatIsDoneIsLeftOut) {
  const auto file = read("[{id: a, prompt: x}, {id: b, prompt: x, after: a}]", "s.yaml");
  const std::vector<FailedJob> failed{{&file.jobs[1], "", "r"}};
  const auto again = read(failed_csv(failed, {}), "failed.csv");
  ASSERT_EQ(again.jobs.size(), 1u);
  EXPECT_THAT(again.jobs[0].after, IsEmpty());
}

// Whatever fields jobs have: reading failed.csv gives the very jobs back.
TEST(FailedCsv, RandomJobsComeBackAsTheyWere) {
  std::mt19937_64 random(11);
  const json schema = job_file_schema();
  for (int round = 0; round < 200; ++round) {
    BatchFile file;
    const std::size_t count = 1 + random() % 4;
    for (std::size_t i = 0; i < count; ++i) {
      BatchJob batch;
      fill_random(fields_of(batch.job), random);
      batch.job.id = fmt::format("job{}", i);
      batch.job.out = fmt::format("a/{}.mp4", i);
      batch.job.latents_out = batch.job.trace = "";  // random ones are absolute, which a job file does not take
      batch.job.prompt = "x" + batch.job.prompt;
      batch.job.seed = random();
      if (i > 0 && random() % 2 == 0) batch.after = {fmt::format("job{}", i - 1)};
      batch.priority = static_cast<double>(random() % 5) / 4;
      if (random() % 2 == 0) batch.variables["look"] = "day, \"bright\"";
      file.jobs.push_back(std::move(batch));
    }
    if (random() % 2 == 0) {  // a table with columns for everything
      VideoJob any;
      for (const auto& field : fields_of(any))
        if (!std::holds_alternative<Method>(field.rule)) file.columns.emplace_back(field.name);
      for (const auto* key : {"version", "kind", "after", "priority", "seeds", "var.look", "reason"})
        file.columns.emplace_back(key);
    }
    std::vector<FailedJob> failed;
    for (const auto& job : file.jobs) failed.push_back({&job, "", "because,\n\"so\""});
    const auto text = failed_csv(failed, file.columns);
    const auto again = read(text, "failed.csv");
    ASSERT_EQ(again.jobs.size(), file.jobs.size()) << text;
    for (std::size_t i = 0; i < file.jobs.size(); ++i) {
      EXPECT_EQ(again.jobs[i].job, file.jobs[i].job) << text;
      EXPECT_EQ(again.jobs[i].after, file.jobs[i].after);
      EXPECT_EQ(again.jobs[i].priority, file.jobs[i].priority);
      EXPECT_EQ(again.jobs[i].variables, file.jobs[i].variables);
    }
    // The same jobs as the list that a JSON file holds fit the published schema.
    json list = json::array();
    for (const auto& batch : file.jobs) {
      json job = video_job_to_json(batch.job);
      job["priority"] = batch.priority;
      job["after"] = batch.after;
      job["var"] = batch.variables;
      list.push_back(std::move(job));
    }
    EXPECT_EQ(test::schema_fault(schema, list), "");
    EXPECT_EQ(read(list.dump(), "jobs.json").jobs.size(), count);
  }
}

TEST(JobFileSchema, TakesWhatTheReaderTakesAndRefusesWhatItRefuses) {
  const json schema = job_file_schema();
  for (
      const char* text :
      {R"({"prompt": "a"})", R"([{"prompt": "a", "seeds": "1..8, 40"}, {"prompt": "b", "seeds": [1, "3..5"]}])",
       R"({"version": 1, "jobs": [{"prompt": "a", "after": [], "rate.method": "full", "var.x": 5, "priority": -2.5}]})",
       R"({"defaults": {"steps": 3, "preset": "p", "var": {"a": true}}, "presets": {"p": {"fps": 8, "seeds": 4}},
            "matrix": {"steps": [1, 2], "preset": ["p"], "look": ["day", 5], "exclude": [{"steps": 2, "look": 5}]},
            "jobs": [{"id": "a", "prompt": "x", "after": "b a"}, {"id": "b", "prompt": "{var.look}"}]})"}) {
    EXPECT_EQ(test::schema_fault(schema, json::parse(text)), "") << text;
  }
  for (const char* text :
       {R"({"promt": "a"})", R"({"prompt": "a", "seeds": "1-8"})", R"({"prompt": "a", "seeds": []})",
        R"([{"prompt": "a", "var": {"x": [1]}}])", R"([{"prompt": "a", "rate.methd": "full"}])",
        R"([{"prompt": "a", "priority": "high"}])", R"([{"prompt": "a", "kind": "image"}])",
        R"({"defaults": {"id": "a"}, "jobs": [{"prompt": "a"}]})",
        R"({"defaults": {"after": "a"}, "jobs": [{"prompt": "a"}]})",
        R"({"presets": {"p": {"preset": "q"}}, "jobs": [{"prompt": "a"}]})",
        R"({"matrix": {"frames": 5}, "jobs": [{"prompt": "a"}]})", R"({"matrix": {"frames": [5]}})",
        R"({"jobs": [{"prompt": "a"}], "jbos": []})", R"({"version": 2, "jobs": [{"prompt": "a"}]})"}) {
    EXPECT_NE(test::schema_fault(schema, json::parse(text)), "") << text;
    EXPECT_FALSE(parse_batch(text, "jobs.json").ok()) << text;
  }
}

TEST(JobFileSchema, KnowsEveryKeyOfAJob) {
  const json schema = job_file_schema();
  VideoJob job;
  for (const auto& field : fields_of(job)) {
    EXPECT_TRUE(schema["$defs"]["job"]["properties"].contains(std::string(field.name))) << field.name;
    EXPECT_EQ(schema["$defs"]["preset"]["properties"].contains(std::string(field.name)), field.name != "id");
  }
}

TEST(JobFileExamples, AreReadAndSayWhatTheyShow) {
  const std::filesystem::path folder = RUBATO_RESOURCES "/examples/jobs";
  for (const auto* name : {"shots.csv", "shots.yaml"}) {
    const auto file = read_batch(folder / name);
    ASSERT_TRUE(file.ok()) << file.error().message;
    EXPECT_GT(file->jobs.size(), 3u) << name;
    for (const auto& job : file->jobs) EXPECT_TRUE(NameTemplate::parse(job.job.out).ok()) << job.job.out;
  }
}

TEST(FailedCsv, KeepsTheRowsOfOtherRuns) {
  const auto a =
      read("id,prompt,seed,steps,var.who,after\nx,a fox,1,4,fox,\ny,a cat,2,4,cat,x\nz,a dog,3,4,,x\n", "a.csv");
  std::vector<FailedJob> owed;
  for (const auto& job : a.jobs) owed.push_back({&job, job.job.id + "{1}.mp4", "why, \"so\""});
  auto kept = read_failed_csv(failed_csv(owed, a.columns));
  ASSERT_TRUE(kept);
  ASSERT_EQ(kept->rows.size(), 3u);
  std::erase_if(kept->rows, [](const auto& row) { return row.at("out") == literal_name("z{1}.mp4"); });

  const auto b = read("id,prompt,seed,frames\nx,a bird,5,9\n", "b.csv");
  const std::vector<FailedJob> bird{{&b.jobs[0], "bird.mp4", "no"}};
  const auto text = failed_csv(bird, b.columns, *kept);
  const auto both = read(text, "failed.csv");
  ASSERT_EQ(both.jobs.size(), 3u);
  EXPECT_EQ(both.jobs[0].job.id, "x");
  EXPECT_EQ(both.jobs[0].job.frames, 9);
  EXPECT_FALSE(both.jobs[0].job.steps);
  EXPECT_EQ(both.jobs[1].job.id, "x-2");
  EXPECT_EQ(both.jobs[1].job.prompt, "a fox");
  EXPECT_EQ(both.jobs[1].variables.at("who"), "fox");
  EXPECT_EQ(both.jobs[2].job.steps, 4);
  EXPECT_THAT(both.jobs[2].after, ElementsAre("x-2")) << "the fox, not the bird";
  EXPECT_EQ(cells(text)[2].back(), "why, \"so\"");
  // What is left once the bird is done is the table as it was.
  EXPECT_EQ(read_failed_csv(failed_csv({}, {}, *kept))->rows, kept->rows);
}

TEST(FailedCsv, TakesNoOtherTableForItsOwn) {
  for (const auto* text : {"", "a person's table\n", "id,seed,out\n", "id,seed,out,reason\na,1\n",
                           "id,seed,out,reason\n,1,a.mp4,\n", "id,seed,out,reason\n\"a"})
    EXPECT_FALSE(read_failed_csv(text)) << text;
}

}  // namespace
}  // namespace rubato
