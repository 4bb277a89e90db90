// Runs the real rubato-cli as a user would, and says what came out of it.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace rubato::test {

// A folder of its own for one test, removed with everything in it.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

struct Finished {
  int code = -1;  // exit code; -1 when a signal ended it
  int signal = 0;
  std::string out, err;
  double seconds = 0;
};

struct Shell {
  std::filesystem::path folder;            // working folder, and home of settings and caches
  std::map<std::string, std::string> env;  // on top of a clean environment
  std::filesystem::path program;           // empty: rubato-cli of this build
  bool terminal = false;                   // standard error is a terminal of 80 columns
  bool minds_modes = false;                // file modes hold for the program even where the test runs as root
};

// Dies with the thread that started it.
class Program {
 public:
  Program(const Shell& setup, const std::vector<std::string>& args);
  ~Program();  // kills what still runs
  Program(const Program&) = delete;

  int pid() const { return pid_; }
  void signal(int number) const;
  // Waits until standard output or error holds the text; false when it ends or `patience` passes without it.
  bool wait_for(const std::string& text, std::chrono::seconds patience = std::chrono::seconds(60));
  // The same for any condition on what was written so far.
  bool wait_until(const std::function<bool()>& condition, std::chrono::seconds patience = std::chrono::seconds(60));
  // Waits for the end; after `patience` it is killed (then signal is SIGKILL).
  Finished finish(std::chrono::seconds patience = std::chrono::seconds(120));
  // Its end, if it comes within `patience`; it is not killed.
  std::optional<Finished> finish_within(std::chrono::milliseconds patience);
  const std::string& out() const { return out_; }
  const std::string& err() const { return err_; }

 private:
  bool pump(int milliseconds);  // false once both streams are closed
  Finished finished(int status);

  int pid_ = -1, out_fd_ = -1, err_fd_ = -1;
  std::string out_, err_;
  std::chrono::steady_clock::time_point started_;
};

// rubato-cli with these arguments in `setup`, to its end.
Finished run(const Shell& setup, const std::vector<std::string>& args);

// The lines of a text, without an empty last one.
std::vector<std::string> lines(const std::string& text);
// Every line as a JSON object; fails the test when one is none.
std::vector<nlohmann::json> ndjson(const std::string& text);

// Whether this build was configured to have that program: without libtorch there is no rubato-worker, with
// RUBATO_MEDIA=OFF no rubato-media. Only then may a test be skipped; a program that should be there fails it.
bool configured(const std::string& program);

// The pid of a child of `parent` whose program has this name; -1 when there is none yet.
int child_of(int parent, const std::string& program);

// A folder with a copy of rubato-cli whose rubato-worker is the scripted one: no libtorch, and it does what RUBATO_FAKE
// says.
std::filesystem::path cli_with_scripted_worker(const TempDir& folder);

}  // namespace rubato::test
