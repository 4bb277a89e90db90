// Rendering a batch while everything goes wrong: worker, command or both are killed, stopped or asked to end, the disk
// fills up or becomes read-only, and the run's record is cut off; at random, with a seed that is printed. Afterwards
// every job is done exactly once, every file is the one of a calm run, and nothing else is left.
//
//   RUBATO_SOAK_SECONDS=1200 RUBATO_SOAK_SEED=7 ctest --preset soak
// Rounds of the same jobs are rendered until the time is up. A fault that this machine cannot make (mounting needs
// rights) is named as left out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <thread>

#include "engine/base/files.h"
#include "engine/base/ids.h"
#include "tests/cli/program.h"
#include "tests/support/small_disk.h"

namespace rubato::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr int kJobs = 200;

int from_environment(const char* name, int fallback) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::atoi(text) : fallback;
}

// Hashes of the results, by name.
std::map<std::string, std::string> results(const fs::path& folder) {
  std::map<std::string, std::string> hashes;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (entry.is_regular_file() && name != "report.html" && name != "failed.csv")
      hashes[name] = sha256_file(entry.path()).value();
  }
  return hashes;
}

// What a finished run may leave in its state folder: a record per done job, a record per run, two locks.
std::vector<std::string> leftovers(const fs::path& out) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(out / ".rubato")) {
    const auto name = entry.path().filename().string();
    if (!name.ends_with(".done") && name.find(".sqlite") == std::string::npos && name != "takeover" &&
        name != "reporting")
      names.push_back(name);
  }
  return names;
}

class Soak : public testing::Test {
 protected:
  void SetUp() override {
    if (!configured("rubato-worker") || !configured("rubato-media"))
      GTEST_SKIP() << "configured without libtorch, or RUBATO_MEDIA is OFF";
    std::ofstream file(dir_ / "jobs.csv");
    // Without metadata, which tells times, equal jobs give equal bytes.
    file << "id,prompt,size,frames,steps,seed,device,metadata,out\n";
    for (int i = 1; i <= kJobs; ++i)
      file << "job-" << i << ",a red circle moves right,64x64,5," << 2 + i % 12 << ',' << i << ",cpu,false,{job}"
           << (i % 5 == 0   ? ".safetensors"
               : i % 7 == 0 ? ".webp"
                            : ".mp4")
           << '\n';
  }

  std::unique_ptr<Program> start(const std::string& out) {
    return std::make_unique<Program>(
        here_, std::vector<std::string>{"run", "jobs.csv", "--out", out, "--progress", "json", "--max-retries", "100",
                                        "--disk-wait", "2m"});
  }

  // One fault on a running command; its name, or "" when there was nothing to hit.
  std::string make_trouble(Program& running, const fs::path& out, const SmallDisk& disk) {
    const int worker = child_of(running.pid(), "rubato-worker");
    switch (random_() % 10) {
      case 0:
      case 1:
      case 2:
        return worker > 0 && ::kill(worker, SIGKILL) == 0 ? "worker killed" : "";
      case 3:
      case 4:
        running.signal(SIGKILL);
        return "command killed";
      case 5:
        running.signal(SIGKILL);
        if (worker > 0) ::kill(worker, SIGKILL);
        return "both killed";
      case 6: {
        if (worker <= 0) return "";
        // Shorter than the watchdog's patience, or longer, when it ends the worker.
        const auto pause = random_() % 4 == 0 ? 17s : 2s;
        ::kill(worker, SIGSTOP);
        std::this_thread::sleep_for(pause);
        ::kill(worker, SIGCONT);
        return "worker stopped";
      }
      case 7: {
        if (!disk.mounted()) return "";
        disk.fill();
        std::this_thread::sleep_for(std::chrono::milliseconds(500 + random_() % 2500));
        fs::remove(disk / "filler");
        return "disk full";
      }
      case 8: {
        if (!disk.mounted()) return "";
        bool read_only = false;
        for (int i = 0; i < 300 && !read_only; ++i) {  // not while a file is open for writing
          read_only = ::mount(nullptr, disk.path().c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0;
          if (!read_only) std::this_thread::sleep_for(10ms);
        }
        if (!read_only) return "";
        std::this_thread::sleep_for(std::chrono::milliseconds(500 + random_() % 2500));
        ::mount(nullptr, disk.path().c_str(), nullptr, MS_REMOUNT | MS_BIND, nullptr);
        return "disk read-only";
      }
      default: {
        std::error_code none;
        for (const auto& entry : fs::directory_iterator(out / ".rubato", none)) {
          if (!entry.path().string().ends_with("-wal")) continue;
          const auto size = fs::file_size(entry.path(), none);
          if (!none) fs::resize_file(entry.path(), size > 0 ? random_() % size : 0, none);
          return "record cut off";
        }
        running.signal(SIGTERM);
        return "command terminated";
      }
    }
  }

  // Renders all jobs into `out` while faults happen.
  void round(const std::string& out, const SmallDisk& disk) {
    std::map<std::string, int> finished;  // how often each job was rendered to its end, as the commands say
    for (bool done = false; !done;) {
      auto running = start(out);
      std::optional<Finished> end;
      while (!(end = running->finish_within(std::chrono::milliseconds(300 + random_() % 4000))))
        if (const auto fault = make_trouble(*running, dir_ / out, disk); !fault.empty()) ++faults_[fault];
      const auto& ended = *end;
      ++commands_;
      for (const auto& line : lines(running->out())) {
        const auto event = json::parse(line, nullptr, false);
        if (event.is_object() && event.value("ev", "") == "job.done" && !event["report"].value("earlier", true))
          ++finished[event["job"]];
      }
      done = ended.code == 0;
      // 7: three workers died; 73: the disk; 130 and 143: it was asked to end. The same command goes on.
      const std::vector<int> resumable{0, 7, 73, 130, 143};
      ASSERT_TRUE(ended.signal == SIGKILL || ended.signal == SIGTERM || ended.signal == SIGTERM ||
                  std::find(resumable.begin(), resumable.end(), ended.code) != resumable.end())
          << "exit " << ended.code << ", signal " << ended.signal << "\n"
          << ended.err << running->out().substr(running->out().size() > 2000 ? running->out().size() - 2000 : 0);
    }
    for (const auto& [job, times] : finished) EXPECT_EQ(times, 1) << job;
  }

  TempDir dir_;
  // One thread: small jobs gain nothing from more, and two that wait for each other crawl on a busy machine.
  Shell here_{.folder = dir_.path(), .env = {{"OMP_NUM_THREADS", "1"}}};
  std::mt19937 random_;
  std::map<std::string, int> faults_;
  int commands_ = 0;
};

TEST_F(Soak, ABatchSurvivesEverything) {
  const auto seconds = std::chrono::seconds(from_environment("RUBATO_SOAK_SECONDS", 180));
  const auto seed =
      static_cast<unsigned>(from_environment("RUBATO_SOAK_SEED", static_cast<int>(std::random_device{}() >> 1)));
  random_.seed(seed);
  std::cout << "seed " << seed << std::endl;
  const auto calm_run = start("calm")->finish(600s);
  ASSERT_EQ(calm_run.code, 0) << calm_run.err;
  const auto calm = results(dir_ / "calm");
  ASSERT_EQ(calm.size(), static_cast<std::size_t>(kJobs));

  const auto until = Clock::now() + seconds;
  int rounds = 0;
  do {
    const auto out = "out-" + std::to_string(++rounds);
    const SmallDisk disk(dir_ / out, "48m");
    if (!disk.mounted() && rounds == 1)
      std::cout << "left out: full and read-only disks, since nothing can be mounted here\n";
    round(out, disk);
    ASSERT_FALSE(HasFatalFailure());
    EXPECT_EQ(results(dir_ / out), calm) << "round " << rounds;
    EXPECT_THAT(leftovers(dir_ / out), testing::IsEmpty()) << "round " << rounds;
  } while (Clock::now() < until && !HasFailure());

  int total = 0;
  std::cout << "jobs " << rounds * kJobs << " in " << rounds << " rounds, commands started " << commands_;
  for (const auto& [fault, times] : faults_) {
    std::cout << ", " << fault << ' ' << times;
    total += times;
  }
  std::cout << ", faults in all " << total << ", losses " << (HasFailure() ? "see above" : "0") << std::endl;
  EXPECT_GT(total, 0) << "nothing went wrong: this tested nothing";
}

}  // namespace
}  // namespace rubato::test
