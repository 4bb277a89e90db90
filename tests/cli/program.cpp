#include "tests/cli/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

#include "engine/base/text.h"

namespace rubato::test {
namespace fs = std::filesystem;
namespace {

// File modes hold for the super-user as well once these are out of the bounding set (until the next exec they stay).
// Another user would not do: a checkout may lie in a home folder that only root can enter.
bool mind_file_modes() {
  return ::geteuid() != 0 ||
         (::prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE) == 0 && ::prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH) == 0);
}

// Everything the child may do between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(const Shell& setup, int parent, const char* program, char* const* argv, char* const* env,
                         int out, int err) {
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::setpgid(0, 0);
  if (setup.minds_modes && !mind_file_modes()) _exit(126);
  // After the change of user, which would take it back: whoever interrupts the tests leaves no program behind.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) _exit(126);
  if (!setup.folder.empty() && ::chdir(setup.folder.c_str()) != 0) _exit(126);
  ::execve(program, argv, env);
  _exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (auto& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

}  // namespace

TempDir::TempDir() {
  auto name = (fs::temp_directory_path() / "rubato-cli-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  ::chmod(name.c_str(), 0755);
  path_ = fs::canonical(name);
}

TempDir::~TempDir() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Program::Program(const Shell& setup, const std::vector<std::string>& args)
    : started_(std::chrono::steady_clock::now()) {
  const auto program = (setup.program.empty() ? fs::path(RUBATO_BIN_DIR) / "rubato-cli" : setup.program).string();
  std::vector<std::string> words{program},
      variables{"PATH=/usr/bin:/bin", "LANG=C.UTF-8", "TERM=xterm", "RUBATO_RESOURCES=" RUBATO_RESOURCES};
  words.insert(words.end(), args.begin(), args.end());
  const auto home = setup.folder.empty() ? fs::temp_directory_path() : setup.folder;
  variables.push_back("HOME=" + home.string());
  if (const char* options = std::getenv("ASAN_OPTIONS")) variables.push_back(std::string("ASAN_OPTIONS=") + options);
  for (const auto& [key, value] : setup.env) variables.push_back(key + "=" + value);
  const auto argv = pointers(words), env = pointers(variables);

  int out[2], err[2];
  if (::pipe2(out, O_CLOEXEC) != 0) std::abort();
  winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
  if (setup.terminal ? ::openpty(&err[0], &err[1], nullptr, nullptr, &size) != 0 : ::pipe2(err, O_CLOEXEC) != 0)
    std::abort();
  const int parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) become(setup, parent, program.c_str(), argv.data(), env.data(), out[1], err[1]);
  ::close(out[1]);
  ::close(err[1]);
  out_fd_ = out[0];
  err_fd_ = err[0];
}

Program::~Program() {
  if (pid_ > 0) {
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (out_fd_ >= 0) ::close(out_fd_);
  if (err_fd_ >= 0) ::close(err_fd_);
}

void Program::signal(int number) const { ::kill(pid_, number); }

bool Program::pump(int milliseconds) {
  pollfd watched[2] = {{out_fd_, POLLIN, 0}, {err_fd_, POLLIN, 0}};
  if (out_fd_ < 0 && err_fd_ < 0) return false;
  ::poll(watched, 2, milliseconds);
  const auto take = [](const pollfd& ready, int& fd, std::string& text) {
    if (fd < 0 || (ready.revents & (POLLIN | POLLHUP | POLLERR)) == 0) return;
    char bytes[1 << 16];
    const auto got = ::read(fd, bytes, sizeof bytes);
    if (got > 0) {
      text.append(bytes, static_cast<std::size_t>(got));
    } else {  // end; a terminal without a writer gives EIO
      ::close(fd);
      fd = -1;
    }
  };
  take(watched[0], out_fd_, out_);
  take(watched[1], err_fd_, err_);
  return out_fd_ >= 0 || err_fd_ >= 0;
}

bool Program::wait_for(const std::string& text, std::chrono::seconds patience) {
  return wait_until([&] { return out_.find(text) != std::string::npos || err_.find(text) != std::string::npos; },
                    patience);
}

bool Program::wait_until(const std::function<bool()>& condition, std::chrono::seconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!condition() && std::chrono::steady_clock::now() < end)
    if (!pump(50)) break;
  return condition();
}

Finished Program::finish(std::chrono::seconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  int status = 0, ended = 0;
  while (ended == 0) {
    pump(10);
    ended = ::waitpid(pid_, &status, WNOHANG);
    if (ended == 0 && std::chrono::steady_clock::now() > end) ::kill(pid_, SIGKILL);
  }
  return finished(status);
}

std::optional<Finished> Program::finish_within(std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  int status = 0;
  do {
    pump(10);
    if (::waitpid(pid_, &status, WNOHANG) != 0) return finished(status);
  } while (std::chrono::steady_clock::now() < end);
  return std::nullopt;
}

Finished Program::finished(int status) {
  // What it wrote last. A grandchild that still holds the pipes must not keep the test waiting.
  for (int i = 0; i < 5 && pump(20); ++i) {
  }
  pid_ = -1;
  Finished result{.out = out_,
                  .err = err_,
                  .seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count()};
  if (WIFEXITED(status)) result.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  return result;
}

Finished run(const Shell& setup, const std::vector<std::string>& args) { return Program(setup, args).finish(); }

std::vector<std::string> lines(const std::string& text) {
  auto all = split(text, '\n');
  if (!all.empty() && all.back().empty()) all.pop_back();
  return all;
}

std::vector<nlohmann::json> ndjson(const std::string& text) {
  std::vector<nlohmann::json> events;
  for (const auto& line : lines(text)) {
    auto event = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    EXPECT_TRUE(event.is_object()) << "not a JSON object: " << line;
    if (event.is_object()) events.push_back(std::move(event));
  }
  return events;
}

bool configured(const std::string& program) {
  if (program == "rubato-worker") return RUBATO_TEST_WORKER == 1;
  return program != "rubato-media" || RUBATO_TEST_MEDIA == 1;
}

int child_of(int parent, const std::string& program) {
  std::error_code failed;
  for (fs::directory_iterator it("/proc", failed), last; !failed && it != last; it.increment(failed)) {
    const auto name = it->path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream stat(it->path() / "stat");
    std::string text;
    std::getline(stat, text);
    const auto open = text.find('('), close = text.rfind(')');
    if (open == std::string::npos || close == std::string::npos) continue;
    // The kernel cuts names to 15 characters.
    if (text.substr(open + 1, close - open - 1) != program.substr(0, 15)) continue;
    const auto rest = split(std::string_view(text).substr(close + 2), ' ');  // state, parent, …
    if (rest.size() > 1 && rest[1] == std::to_string(parent)) return std::stoi(name);
  }
  return -1;
}

fs::path cli_with_scripted_worker(const TempDir& folder) {
  const auto bin = folder / "bin";
  fs::create_directories(bin);
  fs::copy_file(fs::path(RUBATO_BIN_DIR) / "rubato-cli", bin / "rubato-cli");
  fs::copy_file(fs::path(RUBATO_BIN_DIR) / "rubato_scripted_worker", bin / "rubato-worker");
  return bin / "rubato-cli";
}

}  // namespace rubato::test
