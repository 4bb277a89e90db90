#include "pipelines/runner/decode_work.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "engine/base/files.h"
#include "engine/base/json.h"
#include "engine/files/safetensors.h"
#include "engine/tensor/state_dict.h"

namespace rubato {
namespace fs = std::filesystem;
using Json = nlohmann::json;
namespace {

constexpr int kDecodeVersion = 1;
constexpr const char* kDecodeEntry = "rubato.decode";  // in the safetensors header
constexpr std::uint64_t kMostPending = 512u << 20;
constexpr auto kGuessedCost = std::chrono::milliseconds(50);

std::string memory_name(std::size_t index) { return fmt::format("memory.{:03}", index); }

}  // namespace

DecodeWork::DecodeWork(fs::path partial_folder, std::string key)
    : folder_(std::move(partial_folder)), key_(std::move(key)), clock_(kGuessedCost) {}

fs::path DecodeWork::frames_file(int number) const {
  return folder_ / "frames" / fmt::format("{:06}.safetensors", number);
}

std::optional<DecodeWork::Saved> DecodeWork::resume(const AutoencoderKLWan::Sink& sink) {
  const auto header = SafetensorsFile::open(state_file());
  if (!header) return std::nullopt;
  const auto entry = header->metadata().find(kDecodeEntry);
  if (entry == header->metadata().end()) return std::nullopt;
  const auto description = parse_json(entry->second, state_file().string());
  if (!description || !description->is_object() || description->value("version", Json()) != kDecodeVersion ||
      description->value("key", Json()) != key_)
    return std::nullopt;
  for (const char* name : {"parts", "tile", "files", "memories"})
    if (!description->contains(name) || !(*description)[name].is_number_unsigned()) return std::nullopt;
  auto tensors = read_tensors(state_file());
  if (!tensors) return std::nullopt;

  Saved saved;
  saved.state.parts = (*description)["parts"].get<std::int64_t>();
  saved.tile = (*description)["tile"].get<std::int64_t>();
  for (std::size_t i = 0; i < (*description)["memories"].get<std::size_t>() && i < 10'000; ++i) {
    const auto memory = tensors->find(memory_name(i));
    saved.state.memories.push_back(memory == tensors->end() ? at::Tensor{} : memory->second);
  }
  const int files = (*description)["files"].get<int>();
  std::vector<at::Tensor> frames;
  for (int number = 1; number <= files; ++number) {
    auto part = read_tensors(frames_file(number));
    if (!part || !part->contains("frames")) return std::nullopt;
    frames.push_back((*part)["frames"]);
  }
  for (const auto& part : frames) sink(part);
  saved_files_ = files;
  return saved;
}

void DecodeWork::add(const at::Tensor& frames) {
  if (given_up_) return;
  pending_.push_back(frames);
  pending_bytes_ += frames.nbytes();
  given_up_ = pending_bytes_ > kMostPending && !clock_.due();
  if (given_up_) pending_.clear();
}

Result<> DecodeWork::part_done(const std::function<DecodeState()>& state, std::int64_t tile) {
  if (given_up_ || !clock_.due()) return {};
  Result<> saved;
  clock_.timed([&] { saved = save(state(), tile); });
  return saved;
}

Result<> DecodeWork::save(const DecodeState& state, std::int64_t tile) {
  std::error_code failed;
  fs::create_directory(folder_ / "frames", failed);  // without the partial folder the work is nobody's any more
  if (failed) return write_error(folder_ / "frames", failed.value());
  if (!pending_.empty()) {
    RUBATO_OK(write_tensors(frames_file(saved_files_ + 1), {{"frames", at::cat(pending_, 2)}}, {}, Overwrite::Always));
    ++saved_files_;
    pending_.clear();
    pending_bytes_ = 0;
  }
  std::map<std::string, at::Tensor> tensors;
  for (std::size_t i = 0; i < state.memories.size(); ++i)
    if (state.memories[i].defined()) tensors[memory_name(i)] = state.memories[i];
  const Json description{{"version", kDecodeVersion}, {"key", key_},
                         {"parts", state.parts},      {"tile", tile},
                         {"files", saved_files_},     {"memories", state.memories.size()}};
  return write_tensors(state_file(), tensors, {{kDecodeEntry, description.dump()}}, Overwrite::Always);
}

void DecodeWork::remove() {
  std::error_code ignored;
  fs::remove(state_file(), ignored);
  for (int number = 1; fs::remove(frames_file(number), ignored); ++number) {
  }
  fs::remove(folder_ / "frames", ignored);
}

}  // namespace rubato
