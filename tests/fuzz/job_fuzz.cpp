// The job readers and the frames of the worker protocol. The first byte chooses which; the rest is the input.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "engine/base/json.h"
#include "pipelines/job/channel.h"
#include "pipelines/job/protocol.h"
#include "pipelines/job/schema.h"
#include "pipelines/job/video_job.h"
#include "pipelines/job/yaml.h"

namespace {

using namespace rubato;

void require(bool holds) {
  if (!holds) std::abort();
}

// What is accepted must be written and read back to the same job.
void read_job(const Result<nlohmann::json>& tree, const SourceMap& where) {
  if (!tree.ok()) return require(!tree.error().message.empty());
  const auto job = video_job_from_json(*tree, "fuzz", &where);
  if (!job.ok()) return require(!job.error().message.empty());
  const auto again = parse_json(video_job_to_json(*job).dump(), "again");
  require(again.ok());
  const auto back = video_job_from_json(*again, "again");
  require(back.ok() && *back == *job);
}

// Cuts the bytes in two at a place that the first of them names: the frames must not depend on it.
void read_frames(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  const std::size_t cut = static_cast<std::size_t>(bytes[0]) % bytes.size();
  FrameDecoder decoder;
  for (const auto part : {bytes.subspan(1, cut), bytes.subspan(1 + cut)}) {
    decoder.feed(part);
    while (true) {
      const auto frame = decoder.next();
      if (!frame.ok() || !frame->has_value()) break;
      const auto decoded = protocol::decode(**frame);
      if (!decoded.ok() || !decoded->message) continue;
      const auto again = protocol::decode(protocol::encode(*decoded->message));
      require(again.ok() && again->message.has_value());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  SourceMap where;
  switch (data[0] % 3) {
    case 0:
      read_job(parse_json(text, "fuzz", {}, ErrorCode::JobInvalid, &where), where);
      break;
    case 1:
      read_job(parse_yaml(text, "fuzz", {}, ErrorCode::JobInvalid, &where), where);
      break;
    default:
      read_frames(std::as_bytes(std::span(text)));
      break;
  }
  return 0;
}
