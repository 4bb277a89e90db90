#include "pipelines/job/media_client.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "engine/base/json.h"
#include "pipelines/job/channel.h"

extern char** environ;

namespace rubato {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxReply = 40u << 20;  // a sidecar of 16 MiB, escaped
constexpr int kPixelFd = 3;

// A child that is never left behind: killed and collected if nobody waited for it.
class MediaProcess {
 public:
  explicit MediaProcess(pid_t pid) : pid_(pid) {}
  MediaProcess(const MediaProcess&) = delete;
  MediaProcess& operator=(const MediaProcess&) = delete;
  ~MediaProcess() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }
  // The status of waitpid.
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_;
};

fs::path find_media_program() {
  std::error_code failed;
  const fs::path beside = fs::read_symlink("/proc/self/exe", failed).parent_path() / "rubato-media";
  return !failed && ::access(beside.c_str(), X_OK) == 0 ? beside : fs::path("rubato-media");
}

Error client_error(const char* what) { return {ErrorCode::Failed, fmt::format("{}: {}", what, std::strerror(errno))}; }

Result<pid_t> spawn_media(const fs::path& program, const std::vector<std::string>& arguments, int out, int pixels) {
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  if (pixels >= 0) posix_spawn_file_actions_adddup2(&actions, pixels, kPixelFd);
  pid_t pid = -1;
  const int code = ::posix_spawnp(&pid, program.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0)
    return Error{ErrorCode::Failed,
                 fmt::format("{} could not be started: {}; it belongs beside the other programs of Rubato",
                             program.string(), std::strerror(code))};
  return pid;
}

// Everything up to the end of the pipe.
Result<std::string> read_reply(int fd, double timeout_s, const std::string& file) {
  using Steady = std::chrono::steady_clock;
  const auto deadline =
      Steady::now() + std::chrono::duration_cast<Steady::duration>(std::chrono::duration<double>(timeout_s));
  std::string reply;
  std::array<char, 64 << 10> buffer;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Steady::now()).count();
    pollfd waiting{fd, POLLIN, 0};
    const int ready = left > 0 ? ::poll(&waiting, 1, static_cast<int>(std::min<long long>(left + 1, 1'000'000))) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return client_error("waiting for rubato-media");
    if (ready == 0)
      return Error{ErrorCode::TimeLimit,
                   fmt::format("reading {} took longer than {} s and was stopped", file, timeout_s)};
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return client_error("listening to rubato-media");
    if (got == 0) return reply;
    reply.append(buffer.data(), static_cast<std::size_t>(got));
    if (reply.size() > kMaxReply)
      return Error{ErrorCode::Corrupt, fmt::format("the answer about {} is too long", file)};
  }
}

std::string reply_text(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t reply_number(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : -1;
}

// Checks the numbers against the memfd before anyone trusts them.
Result<MediaFrames> map_frames(const nlohmann::json& reply, int memfd, const std::string& file) {
  const auto distrust = [&] {
    return Error{ErrorCode::Corrupt, fmt::format("the answer about the frames of {} makes no sense", file)};
  };
  const std::int64_t width = reply_number(reply, "width"), height = reply_number(reply, "height"),
                     count = reply_number(reply, "count");
  const auto times = reply.find("times_s");
  struct stat info{};
  if (::fstat(memfd, &info) != 0) return client_error("looking at the frames");
  constexpr std::int64_t kMost = 268'435'456;
  if (width < 0 || height < 0 || count < 0 || width > kMost || height > kMost || width * height > kMost ||
      count > info.st_size || times == reply.end() || !times->is_array() ||
      times->size() != static_cast<std::size_t>(count))
    return distrust();
  MediaFrames frames;
  if (count == 0) return frames;
  const std::int64_t frame = width * height * 3;
  if (frame == 0 || info.st_size % frame != 0 || info.st_size / frame != count) return distrust();
  frames.width = static_cast<int>(width);
  frames.height = static_cast<int>(height);
  frames.count = count;
  for (const auto& time : *times) {
    if (!time.is_number()) return distrust();
    frames.times_s.push_back(time.get<double>());
  }
  const auto bytes = static_cast<std::size_t>(info.st_size);
  void* data = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, memfd, 0);
  if (data == MAP_FAILED) return client_error("mapping the frames");
  frames.mapping = std::shared_ptr<const void>(data, [bytes](const void* p) { ::munmap(const_cast<void*>(p), bytes); });
  frames.pixels = {static_cast<const std::uint8_t*>(data), bytes};
  return frames;
}

}  // namespace

MediaClient::MediaClient(fs::path program, double timeout_s)
    : program_(program.empty() ? find_media_program() : std::move(program)), timeout_s_(timeout_s) {}

Result<nlohmann::json> MediaClient::ask(const std::vector<std::string>& arguments, int memfd) const {
  const std::string file = arguments.size() > 1 ? arguments[1] : "the media libraries";
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return client_error("opening a pipe");
  const UniqueFd in(ends[0]);
  UniqueFd out(ends[1]);
  RUBATO_TRY(pid, spawn_media(program_, arguments, out.get(), memfd));
  MediaProcess child(pid);
  out.reset();  // so that the pipe ends with the child
  RUBATO_TRY(text, read_reply(in.get(), timeout_s_, file));
  const int status = child.wait();
  if (WIFSIGNALED(status))
    return Error{
        ErrorCode::Corrupt,
        fmt::format("{} could not be read: its reader was ended by signal {} ({}); the file is damaged or too large",
                    file, WTERMSIG(status), ::strsignal(WTERMSIG(status)))};
  RUBATO_TRY(reply,
             parse_json(text, "rubato-media", {.max_bytes = kMaxReply, .max_depth = 24, .max_string = 1u << 20}));
  if (!reply.is_object()) return Error{ErrorCode::Corrupt, fmt::format("the answer about {} makes no sense", file)};
  if (const auto error = reply.find("error"); error != reply.end() && error->is_object())
    return Error{code_from_name(reply_text(*error, "code")), reply_text(*error, "message")};
  if (WEXITSTATUS(status) != 0)
    return Error{ErrorCode::Failed, fmt::format("the reader of {} ended with code {}", file, WEXITSTATUS(status))};
  return reply;
}

Result<nlohmann::json> MediaClient::probe(const fs::path& file) const { return ask({"probe", file.string()}, -1); }

Result<nlohmann::json> MediaClient::metadata(const fs::path& file) const {
  return ask({"metadata", file.string()}, -1);
}

Result<nlohmann::json> MediaClient::support() const { return ask({"support"}, -1); }

Result<MediaFrames> MediaClient::frames(const fs::path& file, std::int64_t start, std::int64_t count, std::int64_t step,
                                        int max_side) const {
  const UniqueFd memfd(::memfd_create("rubato-frames", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (memfd.get() < 0) return client_error("making room for frames");
  RUBATO_TRY(reply, ask({"frames", file.string(), "--fd", std::to_string(kPixelFd), "--start", std::to_string(start),
                         "--count", std::to_string(count), "--step", std::to_string(step), "--max-side",
                         std::to_string(max_side)},
                        memfd.get()));
  return map_frames(reply, memfd.get(), file.string());
}

Result<MediaFrames> MediaClient::thumbnail(const fs::path& file, int max_side) const {
  return frames(file, 0, 1, 1, max_side);
}

}  // namespace rubato
