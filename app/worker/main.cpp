// rubato-worker: runs jobs for a client (window or command line) that started it with a socket as descriptor 3.
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>

#include "engine/base/files.h"
#include "engine/base/version.h"
#include "pipelines/job/no_network.h"
#include "pipelines/runner/worker_loop.h"

namespace {

constexpr int kClientSocket = 3;

// The practice models of the build tree or of an installation.
std::filesystem::path practice_folder() {
  std::error_code failed;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", failed).parent_path();
  for (const auto& candidate : {here / "../../../resources/practice", here / "../share/rubato/practice"})
    if (std::filesystem::is_directory(candidate, failed)) return std::filesystem::canonical(candidate, failed);
  return {};
}

}  // namespace

int main() {
  if (::fcntl(kClientSocket, F_GETFD) < 0) {
    std::fprintf(stderr,
                 "rubato-worker %s is started by rubato-cli and the studio; run 'rubato-cli gen video' instead\n",
                 rubato::kVersion);
    return 2;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a worker does not outlive its client
  std::signal(SIGPIPE, SIG_IGN);
  // It reads models and media that others made, and needs no network for it. An old kernel without filters renders too.
  if (const auto closed = rubato::forbid_network(); !closed)
    std::fprintf(stderr, "rubato-worker: %s\n", closed.error().message.c_str());
  rubato::ModelFolders models;
  models.practice = practice_folder();
  models.cache = rubato::UserFolders::from_environment().cache;
  return rubato::serve_worker(rubato::Channel(rubato::UniqueFd(kClientSocket)), models);
}
