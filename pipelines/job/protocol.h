// Worker protocol, version 1: what a client (window, command line) and rubato-worker say to each other.
//
// A frame is a little-endian u32 length and that many bytes of JSON, {"type": "progress", "id": …}. Large data travels
// beside it as a sealed memfd (channel.h). Either side takes the other for hostile: sizes are bounded, wrong types are
// refused with a sentence, unknown message types and unknown keys are ignored (so that a newer peer can add some).
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/error.h"

namespace rubato::protocol {

inline constexpr int kVersion = 1;
inline constexpr std::size_t kMaxFrame = 8u << 20;

struct Device {
  std::string id;           // "cpu", "cuda:0": what a job's `device` takes
  std::string name;         // "NVIDIA H100 80GB HBM3"
  std::uint64_t bytes = 0;  // memory
  bool operator==(const Device&) const = default;
};

struct Output {
  std::string path;
  std::string kind;  // "video", "frames", "latents", "trace", "report"
  std::uint64_t bytes = 0;
  std::string sha256;  // may be empty
  bool operator==(const Output&) const = default;
};

// ---- Both ways -------------------------------------------------------------------------------------------------
struct Hello {
  int version = kVersion;
  std::vector<Device> devices;  // from the worker only
  bool operator==(const Hello&) const = default;
};

// ---- Client to worker ------------------------------------------------------------------------------------------
// What a client may say about a job beside the job itself.
struct RunHints {
  std::string key;                           // names the work, where the client knows better than the job's settings
  std::map<std::string, double> expected_s;  // what each phase took before, for the time left
  bool operator==(const RunHints&) const = default;
};
struct Run {
  std::string id;
  nlohmann::json job;
  RunHints hints;
  bool operator==(const Run&) const = default;
};
enum class CancelWhen { AfterStep, Now };
struct Cancel {
  std::string id;
  CancelWhen when = CancelWhen::AfterStep;
  bool operator==(const Cancel&) const = default;
};
struct Quit {
  bool operator==(const Quit&) const = default;
};

// ---- Worker to client ------------------------------------------------------------------------------------------
struct Accepted {
  std::string id;
  bool operator==(const Accepted&) const = default;
};
struct Phase {
  std::string id, name;  // "load", "text", "denoise", "decode", "mux"
  std::int64_t total = 0;
  bool operator==(const Phase&) const = default;
};
struct Progress {  // at most 20 a second
  std::string id, phase;
  std::int64_t done = 0, total = 0;
  double fraction = 0;                              // of the whole job, 0..1
  double eta_s = -1, eta_lo_s = -1, eta_hi_s = -1;  // negative = not known yet, and then not sent
  bool operator==(const Progress&) const = default;
};
struct Preview {  // with a memfd of frames * height * width * 3 bytes, RGB, 8 bits
  std::string id;
  int step = 0, width = 0, height = 0, frames = 1;
  std::uint64_t bytes() const {
    return 3ull * static_cast<unsigned>(width) * static_cast<unsigned>(height) * static_cast<unsigned>(frames);
  }
  bool operator==(const Preview&) const = default;
};
struct Token {
  std::string id, text;
  bool operator==(const Token&) const = default;
};
struct Metric {
  std::string id, name;
  double value = 0;
  bool operator==(const Metric&) const = default;
};
struct Warn {
  std::string id, code, message;
  bool operator==(const Warn&) const = default;
};
struct Checkpoint {  // from here the job can be continued
  std::string id;
  int step = 0;
  std::string path;
  bool operator==(const Checkpoint&) const = default;
};
struct Done {
  std::string id;
  std::vector<Output> outputs;
  nlohmann::json report = nlohmann::json::object();
  bool operator==(const Done&) const = default;
};
struct Failed {
  std::string id;
  ErrorCode code = ErrorCode::Failed;
  std::string message;
  std::string kept;  // "step 12 of 30 is kept in clip.mp4.rubato-partial; …"; "" = nothing is
  bool operator==(const Failed&) const = default;
};
struct Heartbeat {  // each second, from a thread of its own
  bool operator==(const Heartbeat&) const = default;
};

using Message = std::variant<Hello, Run, Cancel, Quit, Accepted, Phase, Progress, Preview, Token, Metric, Warn,
                             Checkpoint, Done, Failed, Heartbeat>;

// The JSON text of a message, without the length. Never throws: invalid UTF-8 is replaced.
std::string encode(const Message& message);
struct Decoded {
  std::optional<Message> message;  // nothing: a type that this version does not know
  bool memfd = false;              // a memfd travels with the frame
};
// Corrupt: not a message, or a member of the wrong type or out of range.
Result<Decoded> decode(std::string_view text);
// The job a message is about; "" for hello, quit, heartbeat.
std::string_view job_id(const Message& message);
// Does a memfd travel with it? Its frame says so: {…, "memfd": number of bytes}.
inline bool carries_memfd(const Message& message) { return std::holds_alternative<Preview>(message); }

}  // namespace rubato::protocol
