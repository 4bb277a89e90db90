#include "pipelines/job/run/run_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "pipelines/job/host_identity.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

namespace fs = std::filesystem;

class RunRecordTest : public testing::Test {
 protected:
  // The name of a record of this host: its part between PID and ULID is another's unless told otherwise.
  static std::string record_of(int pid, const std::string& place = "0badcafe") {
    return HostIdentity::of_this_process().host + "-" + std::to_string(pid) + "-" + place + "-ULID.sqlite";
  }
  std::string own_place() const {
    const RunRecord mine(folder_.path(), jobs_, outcomes_);
    const auto start = HostIdentity::of_this_process().host + "-" + std::to_string(::getpid()) + "-";
    const auto name = mine.file().filename().string();
    EXPECT_THAT(name, testing::StartsWith(start));
    return name.substr(start.size(), 8);
  }

  test::TempFolder folder_;
  std::vector<RunJob> jobs_;
  std::vector<RunOutcome> outcomes_;
};

// As in two containers that have one host name and begin to count at 1.
TEST_F(RunRecordTest, TwoOfOneHostNameAndProcessNumberHaveFilesOfTheirOwn) {
  const RunRecord one(folder_.path(), jobs_, outcomes_), other(folder_.path(), jobs_, outcomes_);
  EXPECT_NE(one.file(), other.file());
  EXPECT_TRUE(fs::exists(one.file()));
  EXPECT_TRUE(fs::exists(other.file()));
}

TEST_F(RunRecordTest, RemovesThoseOfTheDeadAndOfNobodyWhoMayLive) {
  const auto dead = ::fork();
  if (dead == 0) ::_exit(0);
  ::waitpid(dead, nullptr, 0);
  const auto here = own_place();
  const auto of_the_dead = folder_.write(record_of(dead, here), ""), log = fs::path(of_the_dead.string() + "-wal");
  folder_.write(log.filename().string(), "");
  const auto of_my_number = folder_.write(record_of(::getpid(), here), "");
  const auto of_the_living = folder_.write(record_of(::getppid(), here), "");
  const auto elsewhere = folder_.write(record_of(dead), ""), abandoned = folder_.write(record_of(7), "");
  fs::last_write_time(abandoned, fs::file_time_type::clock::now() - std::chrono::hours(25));
  const RunRecord mine(folder_.path(), jobs_, outcomes_);
  const auto damaged = folder_.write(mine.file().filename().string() + ".damaged", "");

  RunRecord::remove_dead(folder_.path(), mine.file());
  for (const auto& file : {of_the_dead, log, of_my_number, abandoned, damaged}) EXPECT_FALSE(fs::exists(file)) << file;
  for (const auto& file : {of_the_living, elsewhere, mine.file()}) EXPECT_TRUE(fs::exists(file)) << file;
}

}  // namespace
}  // namespace rubato
