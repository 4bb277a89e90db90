// A worker for tests of rubato-cli: speaks the protocol over file descriptor 3 and does what RUBATO_FAKE says, at once
// and without libtorch.
//
//   done                a job in five phases, ten steps
//   die:PHASE           the same, but it kills itself when PHASE begins
//   slow                steps of 50 ms that never end; obeys a cancel
//   slow:decode         the same while decoding
//   deaf                the same, but ignores a cancel
//   fail:CODE           fails with that code
//   cut                 warns that the prompt was cut, then done
//   remove:FOLDER       removes the folder, then done
//   no-hello            never answers
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "pipelines/job/channel.h"

namespace {

using namespace std::chrono_literals;
namespace p = rubato::protocol;

class Fake {
 public:
  Fake(rubato::Channel channel, std::string mode) : channel_(std::move(channel)), mode_(std::move(mode)) {}

  int serve() {
    if (mode_ == "no-hello") std::this_thread::sleep_for(1h);
    send(p::Hello{.devices = {{"cpu", "Fake CPU", 8ull << 30}}});
    for (;;) {
      auto got = channel_.receive();
      if (!got) return 0;
      if (!*got) continue;
      if (const auto* run = std::get_if<p::Run>(&(*got)->message)) work(*run);
      if (std::holds_alternative<p::Quit>((*got)->message)) return 0;
    }
  }

 private:
  void send(const p::Message& message) { static_cast<void>(channel_.send(message)); }

  void phase(const std::string& name, int total) {
    send(p::Phase{id_, name, total});
    if (mode_ == "die:" + name) ::kill(::getpid(), SIGKILL);
    const bool endless = mode_ == "slow:" + name || (name == "denoise" && (mode_ == "slow" || mode_ == "deaf"));
    for (int i = 1; endless || i <= total; ++i) {
      if (endless) std::this_thread::sleep_for(50ms);
      send(p::Progress{id_, name, endless ? 1 : i, total, 0.1 * i / (total + 1), 12, 11, 13});
      send(p::Heartbeat{});
      if (endless && cancelled()) return;
    }
  }

  bool cancelled() {
    auto got = channel_.receive(0ms);
    if (!got) std::exit(0);
    if (!*got || !std::holds_alternative<p::Cancel>((*got)->message) || mode_ == "deaf") return false;
    was_cancelled_ = true;
    return true;
  }

  void work(const p::Run& run) {
    id_ = run.id;
    send(p::Accepted{id_});
    if (mode_.starts_with("fail:")) {
      send(p::Failed{id_, rubato::code_from_name(mode_.substr(5)), "the fake worker was told to fail", ""});
      return;
    }
    if (mode_.starts_with("remove:")) std::filesystem::remove_all(mode_.substr(7));
    phase("load", 4);
    if (mode_ == "cut") send(p::Warn{id_, "prompt_cut", "the end of the prompt is left out: \"and a dog\""});
    phase("text", 1);
    phase("denoise", 10);
    if (was_cancelled_) {
      send(p::Failed{id_, rubato::ErrorCode::Cancelled, "stopped after step 1 of 10",
                     "step 1 of 10 is kept in clip.mp4.rubato-partial; the same command goes on from there"});
      return;
    }
    phase("decode", 3);
    if (was_cancelled_) {
      send(p::Failed{id_, rubato::ErrorCode::Cancelled, "decoding was stopped",
                     "the finished latents are kept in clip.mp4.rubato-partial; the same command only decodes them"});
      return;
    }
    phase("mux", 1);
    const auto out = run.job.at("out").get<std::string>();
    std::ofstream(out) << "fake";
    send(p::Done{
        id_, {{out, "video", 4, ""}, {out + ".json", "metadata", 2, ""}}, {{"job", run.job}, {"frames_sha256", "00"}}});
  }

  rubato::Channel channel_;
  std::string mode_, id_;
  bool was_cancelled_ = false;
};

}  // namespace

int main() {
  const char* mode = std::getenv("RUBATO_FAKE");
  return Fake(rubato::Channel(rubato::UniqueFd(3)), mode != nullptr ? mode : "done").serve();
}
