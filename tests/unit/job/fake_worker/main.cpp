// Speaks the worker protocol on file descriptor 3 and does what the job's prompt says:
//   "work"             denoise three steps with a preview, checkpoint, finish
//   "make"             the same, and the job's `out` is there at the end;  "die-once": as "make", but it kills itself
//   in
//                      the denoising where no file OUT.died says that it has done so before
//   "die PHASE"        SIGKILL itself in that phase (load, text, denoise, decode, mux), after a checkpoint from denoise
//                      on; in mux after the job's `out` has appeared by a rename
//   "exit N" "exit-done N"   end with that code, before or after the job's last message
//   "garbage" "huge" "bad-member" "no-memfd"   break the protocol
//   "future"           send an unknown type and an unknown key, then finish
//   "flood N"          N progress messages, then finish
//   "hang"             stop answering, heartbeats included;  "stubborn": the same and SIGTERM is ignored
//   "wait"             beat on until cancelled;  "deaf": beat on and ignore everything
//   "close"            close the socket, live on
// First argument: "" | silent (no hello) | old (another version) | die (before hello) | orphan (writes its pid to a
// file given as second argument).
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "pipelines/job/channel.h"

namespace {

using namespace rubato;
using namespace std::chrono_literals;
namespace p = rubato::protocol;

constexpr int kSocket = 3;
constexpr auto kBeat = 20ms;

[[noreturn]] void sleep_for_ever() {
  while (true) ::pause();
}

void write_raw(const std::string& bytes) { (void)!::write(kSocket, bytes.data(), bytes.size()); }

std::string frame(const std::string& payload) {
  std::string out;
  for (int i = 0; i < 4; ++i) out += static_cast<char>(payload.size() >> (8 * i) & 0xFF);
  return out + payload;
}

struct Worker {
  Channel channel{UniqueFd(kSocket)};

  void say(const p::Message& message, int memfd = -1) {
    if (!channel.send(message, memfd).ok()) std::exit(0);
  }

  void finish(const std::string& id) { say(p::Done{id, {{"clip.mp4", "video", 12, ""}}, {{"steps", 3}}}); }

  // True: cancelled.
  bool beat_until_cancelled(bool listen) {
    while (true) {
      say(p::Heartbeat{});
      if (!listen) {
        std::this_thread::sleep_for(kBeat);
        continue;
      }
      const auto message = channel.receive(kBeat);
      if (!message.ok()) std::exit(0);
      if (message->has_value() && std::holds_alternative<p::Cancel>((*message)->message)) return true;
    }
  }

  void work(const std::string& id, const std::string& die_in, const std::string& out) {
    for (const std::string phase : {"load", "text", "denoise", "decode"}) {
      say(p::Phase{id, phase, 3});
      if (phase == "denoise") {
        for (int step = 1; step <= 3; ++step) {
          say(p::Progress{id, phase, step, 3, step / 3.0, 1, 0.5, 2});
          const std::vector<std::byte> picture(4 * 2 * 3, static_cast<std::byte>(step));
          const auto fd = make_memfd(picture);
          say(p::Preview{id, step, 4, 2, 1}, fd->get());
          say(p::Checkpoint{id, step, "clip.mp4.rubato-partial"});
        }
      }
      if (phase == die_in) ::raise(SIGKILL);
    }
    if (die_in == "mux") {
      say(p::Phase{id, "mux", 1});
      std::ofstream(out + ".new") << "clip";
      std::filesystem::rename(out + ".new", out);
      ::raise(SIGKILL);
    }
    finish(id);
  }

  void make(const std::string& id, const std::string& out, bool die_once) {
    const bool first = !std::filesystem::exists(out + ".died");
    if (die_once && first) std::ofstream(out + ".died") << "died";
    if (die_once && first) return work(id, "denoise", out);
    std::filesystem::remove(out + ".died");
    say(p::Phase{id, "denoise", 1});
    say(p::Progress{id, "denoise", 1, 1, 0.9, 1, 0.5, 2});
    const std::vector<std::byte> picture(4 * 2 * 3);
    say(p::Preview{id, 1, 4, 2, 1}, make_memfd(picture)->get());
    std::ofstream(out) << "clip of " << id;
    say(p::Done{id, {{out, "video", 7, ""}}, {{"seconds", {{"denoise", 0.1}}}}});
  }

  void run(const std::string& id, const std::string& prompt, const std::string& out) {
    say(p::Accepted{id});
    const auto space = prompt.find(' ');
    const std::string verb = prompt.substr(0, space), rest = space == std::string::npos ? "" : prompt.substr(space + 1);
    if (verb == "work") return work(id, "", out);
    if (verb == "make" || verb == "die-once") return make(id, out, verb == "die-once");
    if (verb == "die") return work(id, rest, out);
    if (verb == "exit") std::exit(std::stoi(rest));
    if (verb == "exit-done") {
      finish(id);
      std::exit(std::stoi(rest));
    }
    if (verb == "garbage") write_raw(frame("this is not JSON"));
    if (verb == "huge") write_raw("\xff\xff\xff\xff");
    if (verb == "bad-member") write_raw(frame(R"({"type":"phase","id":")" + id + R"(","name":7,"total":1})"));
    if (verb == "no-memfd")
      write_raw(frame(R"({"type":"preview","id":")" + id + R"(","step":1,"width":1,"height":1,"frames":1,"memfd":3})"));
    if (verb == "future") {
      write_raw(frame(R"({"type":"telepathy","id":")" + id + R"("})"));
      write_raw(frame(R"({"type":"phase","id":")" + id + R"(","name":"load","total":1,"mood":"good"})"));
      return finish(id);
    }
    if (verb == "flood") {
      for (int i = 0; i < std::stoi(rest); ++i) say(p::Progress{id, "denoise", i, 9'999'999, 0});
      return finish(id);
    }
    if (verb == "stubborn") ::signal(SIGTERM, SIG_IGN);
    if (verb == "close") {
      ::close(kSocket);
      sleep_for_ever();
    }
    if (verb == "wait" || verb == "deaf") {
      beat_until_cancelled(verb == "wait");
      return say(p::Failed{id, ErrorCode::Cancelled, "stopped after step 2", "clip.mp4.rubato-partial"});
    }
    sleep_for_ever();
  }

  int serve() {
    while (true) {
      const auto received = channel.receive(kBeat);
      if (!received.ok()) return 0;
      if (!received->has_value()) {
        say(p::Heartbeat{});
      } else if (const auto* job = std::get_if<p::Run>(&(*received)->message)) {
        run(job->id, job->job.value("prompt", ""), job->job.value("out", ""));
      } else if (std::holds_alternative<p::Quit>((*received)->message)) {
        return 0;
      }
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "silent") sleep_for_ever();
  if (mode == "die") ::raise(SIGKILL);
  if (mode == "orphan") std::ofstream(argv[2]) << ::getpid() << std::endl;
  Worker worker;
  worker.say(p::Hello{mode == "old" ? 99 : p::kVersion, {{"cpu", "Test CPU", 1u << 30}}});
  return worker.serve();
}
