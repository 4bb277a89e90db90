// rubato-cli queue: the durable queue from the command line.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/cli/program.h"

namespace rubato::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

class CliQueue : public testing::Test {
 protected:
  json listed(const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"queue", "list", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const auto done = run(here_, words);
    EXPECT_EQ(done.code, 0) << done.err;
    return json::parse(done.out, nullptr, false);
  }
  std::string file(const std::string& name, const std::string& text) {
    std::ofstream(dir_ / name) << text;
    return (dir_ / name).string();
  }
  // Two jobs, the second waits for the first. Gives their ids.
  std::vector<std::string> add_two() {
    const auto done = run(here_, {"queue", "add",
                                  file("shots.yaml",
                                       "version: 1\njobs:\n"
                                       "  - {id: ring, prompt: a red ring}\n"
                                       "  - {id: cube, prompt: a blue cube, after: ring, seed: 7}\n")});
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_THAT(done.err, HasSubstr("2 jobs added to the queue."));
    return lines(done.out);
  }

  TempDir dir_;
  Shell here_{.folder = dir_.path()};
};

TEST_F(CliQueue, AnEmptyQueueSaysSo) {
  const auto done = run(here_, {"queue", "list"});
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.out, "");
  EXPECT_THAT(done.err, HasSubstr("The queue is empty."));
  EXPECT_EQ(run(here_, {"queue", "list", "x"}).code, 2);
}

// Who looks is told what is wrong and what comes next; who works on it goes on with what is left.
TEST_F(CliQueue, ADamagedQueueIsLeftAloneByWhoLooksAndSetAsideByWhoRuns) {
  add_two();
  fs::path queue;
  for (const auto& entry : fs::recursive_directory_iterator(dir_.path()))
    if (entry.path().filename() == "queue.sqlite") queue = entry.path();
  ASSERT_FALSE(queue.empty());
  std::ofstream(queue) << std::string(10'000, '?');
  for (const auto* look : {"list", "export"}) {
    const auto done = run(here_, {"queue", look});
    EXPECT_EQ(done.code, 73) << look << done.err;
    EXPECT_THAT(done.err, HasSubstr(queue.string()));
    EXPECT_THAT(done.err, HasSubstr("'rubato-cli queue run', or any command that changes the queue, sets the file"));
    EXPECT_EQ(fs::file_size(queue), 10'000u);
  }
  const auto ran = run(here_, {"queue", "run", "-q"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("was damaged; it was moved to " + queue.string()));
  EXPECT_THAT(ran.err, HasSubstr("nothing could be read from it"));
  EXPECT_EQ(run(here_, {"queue", "list"}).code, 0);
  std::ofstream(queue) << std::string(10'000, '?');
  EXPECT_EQ(add_two().size(), 2u) << "what changes it goes on as well";
}

TEST_F(CliQueue, AddsListsMovesCancelsAndRetries) {
  const auto ids = add_two();
  ASSERT_EQ(ids.size(), 2u);
  auto jobs = listed()["jobs"];
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_EQ(jobs[0]["name"], "ring");
  EXPECT_EQ(jobs[0]["state"], "queued");
  EXPECT_EQ(jobs[0]["job"]["steps"].is_number(), true) << "every field is filled";
  EXPECT_EQ(jobs[0]["job"]["seed"].is_number(), true);
  EXPECT_EQ(jobs[1]["reason"], "waits for ring");
  EXPECT_EQ(jobs[1]["job"]["out"], (dir_ / "cube-7.mp4").string());

  const auto tail = ids[0].substr(20);
  const auto table = run(here_, {"queue", "list"});
  EXPECT_THAT(table.out, HasSubstr(tail));
  EXPECT_THAT(table.out, HasSubstr("a red ring"));
  EXPECT_THAT(table.err, HasSubstr("1 queued, 1 blocked."));

  EXPECT_EQ(run(here_, {"queue", "move", tail, "--last"}).code, 0);
  EXPECT_EQ(listed()["jobs"][0]["name"], "cube");
  EXPECT_EQ(run(here_, {"queue", "move", tail}).code, 2);
  EXPECT_EQ(run(here_, {"queue", "cancel", tail}).code, 0);
  EXPECT_EQ(listed({tail})["jobs"][0]["state"], "cancelled");
  EXPECT_EQ(listed({tail})["jobs"][0]["events"].back()["event"]["state"], "cancelled");
  EXPECT_EQ(listed({"--state", "blocked"})["jobs"][0]["reason"],
            "waits for ring, which was cancelled; retry that one first");
  EXPECT_EQ(run(here_, {"queue", "retry", tail}).code, 0);
  EXPECT_EQ(run(here_, {"queue", "pause"}).code, 0);
  EXPECT_EQ(listed()["paused"], true);
  EXPECT_EQ(run(here_, {"queue", "resume"}).code, 0);
  EXPECT_EQ(listed()["paused"], false);
  EXPECT_EQ(listed()["totals"]["queued"], 1);
}

TEST_F(CliQueue, AnUnknownJobIsAnErrorThatNamesTheNearest) {
  const auto ids = add_two();
  auto typo = ids[0].substr(0, 25);
  typo[2] = typo[2] == 'Z' ? 'Y' : 'Z';
  const auto done = run(here_, {"queue", "cancel", typo});
  EXPECT_EQ(done.code, 2);
  EXPECT_THAT(done.err, HasSubstr("the queue holds no job '" + typo + "'; did you mean '" + ids[0].substr(0, 20)));
  EXPECT_THAT(run(here_, {"queue", "lst"}).err, HasSubstr("did you mean 'list'?"));
}

TEST_F(CliQueue, OneBadJobAddsNothing) {
  const auto done = run(here_, {"queue", "add",
                                file("bad.yaml",
                                     "version: 1\njobs:\n  - {id: a, prompt: fine}\n"
                                     "  - {id: b, prompt: odd length, frames: 16}\n"
                                     "  - {id: c, prompt: no model, model: nowhere}\n")});
  EXPECT_NE(done.code, 0);
  EXPECT_THAT(done.err, HasSubstr("16"));
  EXPECT_THAT(done.err, HasSubstr("nowhere"));
  EXPECT_THAT(run(here_, {"queue", "list"}).err, HasSubstr("empty"));
}

TEST_F(CliQueue, WhatIsInTheWayIsSaidBeforeItIsAdded) {
  const auto shots = file("shots.yaml",
                          "version: 1\njobs:\n  - {id: a, prompt: a ring, frames: 5, out: 'a_####.png'}\n"
                          "  - {id: b, prompt: a cube, frames: 5, out: b.mp4}\n");
  file("a_0002.png", "a holiday");
  file("b.mp4", "another");
  const auto refused = run(here_, {"queue", "add", shots});
  EXPECT_EQ(refused.code, 6);
  EXPECT_THAT(refused.err, HasSubstr("a_0002.png exists already"));
  EXPECT_THAT(refused.err, HasSubstr("b.mp4 exists already"));
  EXPECT_THAT(refused.err, HasSubstr("'overwrite: always' into the job"));
  EXPECT_THAT(refused.err, testing::Not(HasSubstr("--overwrite")));

  fs::remove(dir_ / "a_0002.png");
  fs::remove(dir_ / "b.mp4");
  ASSERT_EQ(run(here_, {"queue", "add", shots}).code, 0);
  const auto again = run(here_, {"queue", "add",
                                 file("other.yaml",
                                      "version: 1\njobs:\n  - {id: c, prompt: a star, out: "
                                      "a_0003.png, frames: 1}\n")});
  EXPECT_EQ(again.code, 3);
  EXPECT_THAT(again.err, HasSubstr("in the queue would both write"));
  EXPECT_EQ(listed()["jobs"].size(), 2u);
  const auto always =
      file("always.yaml", "version: 1\njobs:\n  - {id: d, prompt: a star, out: d.mp4, overwrite: always}\n");
  file("d.mp4", "may go");
  EXPECT_EQ(run(here_, {"queue", "add", always}).code, 0);
}

TEST_F(CliQueue, AFileThatIsAddedTwiceIsSaidInOneSentence) {
  std::string text = "version: 1\ndefaults: {frames: 5, seed: 7}\njobs:\n";
  for (const auto* id : {"a", "b", "c", "d", "e"}) text += fmt::format("  - {{id: {}, prompt: a ring}}\n", id);
  const auto shots = file("five.yaml", text);
  const auto ids = lines(run(here_, {"queue", "add", shots}).out);
  ASSERT_EQ(ids.size(), 5u);
  const auto again = run(here_, {"queue", "add", shots});
  EXPECT_EQ(again.code, 3);
  EXPECT_EQ(lines(again.err).size(), 1u) << again.err;
  EXPECT_THAT(again.err, HasSubstr("5 of these jobs are in the queue already (a (" + ids[0].substr(20) + "), b ("));
  EXPECT_THAT(again.err, HasSubstr(" and 2 more); nothing was added: choose another --out or cancel them\n"));
  EXPECT_THAT(again.err, testing::Not(HasSubstr("{seed}")));

  // Beside another mistake it is one line of the list.
  const auto mixed =
      run(here_, {"queue", "add", file("more.yaml", text + "  - {id: f, prompt: a ring, frames: 16}\n")});
  EXPECT_EQ(mixed.code, 3);
  EXPECT_EQ(lines(mixed.err).size(), 2u) << mixed.err;
  EXPECT_THAT(mixed.err, HasSubstr("choose another --out or cancel them\n"));
  EXPECT_THAT(mixed.err, HasSubstr("16"));
  EXPECT_EQ(listed()["jobs"].size(), 5u);
  EXPECT_EQ(run(here_, {"queue", "add", shots, "--out", "elsewhere"}).code, 0);
}

TEST_F(CliQueue, AJobFileIsNotImportedButNamedAsOne) {
  const auto done = run(here_, {"queue", "import", file("two shots.csv", "id,prompt\na,a ring\n")});
  EXPECT_EQ(done.code, 3);
  EXPECT_THAT(done.err, HasSubstr("two shots.csv is a job file: rubato-cli queue add '"));
  EXPECT_THAT(run(here_, {"queue", "import", (dir_ / "none.csv").string()}).err, HasSubstr("cannot read"));
}

TEST_F(CliQueue, ExportedJobsAreImportedOnce) {
  const auto ids = add_two();
  const auto exported = (dir_ / "queue.json").string();
  EXPECT_EQ(run(here_, {"queue", "export", "-o", exported}).code, 0);
  const auto twice = run(here_, {"queue", "export", "-o", exported});
  EXPECT_EQ(twice.code, 6) << "nothing is overwritten";
  EXPECT_THAT(twice.err, HasSubstr(exported + " exists already; choose another name or remove it"));
  EXPECT_THAT(twice.err, testing::Not(HasSubstr("--overwrite")));
  EXPECT_THAT(run(here_, {"queue", "import", exported}).err, HasSubstr("0 jobs imported; 2 in the queue already."));

  TempDir elsewhere;
  const Shell there{.folder = elsewhere.path()};
  EXPECT_THAT(run(there, {"queue", "import", exported}).err, HasSubstr("2 jobs imported."));
  const auto jobs = json::parse(run(there, {"queue", "list", "--json"}).out)["jobs"];
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_EQ(jobs[0]["id"], ids[0]);
  EXPECT_EQ(jobs[1]["after"][0], ids[0]);
  EXPECT_EQ(jobs[1]["job"]["seed"], 7);
  EXPECT_EQ(run(there, {"queue", "import", file("other.json", "{\"kind\":\"video\"}")}).code, 3);
}

TEST_F(CliQueue, TwoCommandsAtOnceBothGetTheirTurn) {
  const auto shots = file("one.yaml", "version: 1\njobs:\n  - {id: ring, prompt: a red ring}\n");
  std::vector<std::unique_ptr<Program>> all;
  for (int i = 0; i < 4; ++i)
    all.push_back(std::make_unique<Program>(here_, std::vector<std::string>{"queue", "add", shots}));
  for (auto& program : all) {
    const auto done = program->finish();
    EXPECT_EQ(done.code, 0) << done.err;
  }
  EXPECT_EQ(listed()["jobs"].size(), 4u);
}

}  // namespace
}  // namespace rubato::test
