#include "pipelines/runner/partial_work.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "engine/base/files.h"
#include "engine/base/json.h"
#include "engine/files/safetensors.h"
#include "engine/tensor/state_dict.h"
#include "pipelines/job/disk_needs.h"

namespace rubato {
namespace fs = std::filesystem;
using Json = nlohmann::json;
namespace {

constexpr int kStateVersion = 1;
constexpr const char* kStateEntry = "rubato.state";     // in the safetensors header
constexpr const char* kSchedulerPrefix = "scheduler.";  // of the scheduler's tensors

// The state in the header of latents.safetensors; an object with members of the right types.
Result<Json> read_state(const fs::path& file) {
  RUBATO_TRY(header, SafetensorsFile::open(file));
  const auto entry = header.metadata().find(kStateEntry);
  if (entry == header.metadata().end()) return Error{ErrorCode::Corrupt, "it holds no state"};
  RUBATO_TRY(state, parse_json(entry->second, file.string()));
  const auto whole = [&](const char* name) { return state.contains(name) && state[name].is_number_unsigned(); };
  const bool fine = state.is_object() && whole("version") && state["version"] == kStateVersion && whole("next_step") &&
                    whole("total_steps") && state["next_step"] <= state["total_steps"] && whole("seed") &&
                    state.contains("key") && state["key"].is_string() && state.contains("scheduler");
  if (!fine) return Error{ErrorCode::Corrupt, "it was written by another version"};
  return state;
}

}  // namespace

PartialWork::PartialWork(const fs::path& output, std::string key, std::uint64_t seed)
    : folder_(partial_folder_of(output)), key_(std::move(key)), seed_(seed) {}

PartialWork::~PartialWork() {
  if (state_bytes_ > 0) static_cast<void>(hold(0));
  std::error_code ignored;
  fs::remove(folder_, ignored);  // only if it is empty
}

std::optional<std::uint64_t> PartialWork::seed_in(const fs::path& output) {
  const auto state = read_state(partial_folder_of(output) / "latents.safetensors");
  if (!state) return std::nullopt;
  return (*state)["seed"].get<std::uint64_t>();
}

std::optional<DenoiseState> PartialWork::load(std::string& ignored) const {
  const auto file = latents_file();
  std::error_code failed;
  if (!fs::exists(file, failed)) return std::nullopt;
  const auto give_up = [&](std::string why) {
    ignored = fmt::format("{} is not used: {}", folder_.string(), why);
    return std::nullopt;
  };
  const auto found = read_state(file);
  if (!found) return give_up(found.error().message);
  const Json& state = *found;
  if (state["key"] != key_) return give_up("it belongs to other settings");

  auto tensors = read_tensors(file);
  if (!tensors) return give_up(tensors.error().message);
  DenoiseState loaded;
  loaded.next_step = state["next_step"].get<int>();
  loaded.scheduler.values = state["scheduler"];
  for (auto& [name, tensor] : *tensors) {
    if (name == "latents")
      loaded.latents = tensor;
    else if (name.starts_with(kSchedulerPrefix))
      loaded.scheduler.tensors[name.substr(std::string_view(kSchedulerPrefix).size())] = tensor;
  }
  if (!loaded.latents.defined()) return give_up("it holds no latents");
  return loaded;
}

Result<> PartialWork::create_folder() const {
  std::error_code failed;
  fs::create_directory(folder_, failed);
  if (failed) return write_error(folder_, failed.value());
  return {};
}

Result<> PartialWork::hold(int states) const {
  return hold_space(reserve_file(), static_cast<std::uint64_t>(states) * state_bytes_);
}

Result<> PartialWork::reserve(std::uint64_t latents_bytes) {
  state_bytes_ = saved_state_bytes(latents_bytes);
  RUBATO_OK(create_folder());
  // A save writes the new state beside the old one: room for two, less the one that is there already.
  const auto found = read_state(latents_file());
  const bool ours = found && (*found)["key"] == key_;
  if (ours) {
    saved_step_ = (*found)["next_step"].get<int>();
    total_steps_ = (*found)["total_steps"].get<int>();
  }
  return hold(ours ? kHeldStates - 1 : kHeldStates);
}

Result<> PartialWork::save(const DenoiseState& state, int total_steps) {
  RUBATO_OK(create_folder());
  std::error_code failed;
  const bool replaces = fs::exists(latents_file(), failed);
  const bool last = state.next_step >= total_steps;
  if (state_bytes_ > 0) RUBATO_OK(hold(replaces || last ? 0 : 1));
  const auto written = write(state, total_steps);
  // The replaced state's space is free again. Should somebody have taken it, the next save says so.
  if (state_bytes_ > 0 && replaces && !last) static_cast<void>(hold(1));
  return written;
}

Result<> PartialWork::write(const DenoiseState& state, int total_steps) {
  const Json description{{"version", kStateVersion},
                         {"key", key_},
                         {"seed", seed_},
                         {"next_step", state.next_step},
                         {"total_steps", total_steps},
                         {"scheduler", state.scheduler.values}};
  std::map<std::string, at::Tensor> tensors{{"latents", state.latents}};
  for (const auto& [name, tensor] : state.scheduler.tensors) tensors[kSchedulerPrefix + name] = tensor;
  RUBATO_OK(write_tensors(latents_file(), tensors, {{kStateEntry, description.dump()}}, Overwrite::Always));
  saved_step_ = state.next_step;
  total_steps_ = total_steps;
  return write_file_atomically(folder_ / "state.json", description.dump(2) + "\n", Overwrite::Always);
}

std::string PartialWork::set_aside() {
  std::error_code failed;
  fs::path free;
  for (int n = 2; n < 1000 && free.empty(); ++n) {
    const fs::path candidate = fmt::format("{}-{}", folder_.string(), n);
    if (fs::create_directory(candidate, failed)) free = candidate;
  }
  if (free.empty()) return {};
  // Piece by piece: the folder itself stays, since this run's reserve and its lock (output_lock.h) are in it.
  std::vector<fs::path> earlier;
  for (const auto& entry : fs::directory_iterator(folder_, failed))
    if (const auto name = entry.path().filename(); name != "reserve" && name != "lock") earlier.push_back(entry.path());
  bool moved = !earlier.empty();
  for (const auto& path : earlier) {
    fs::rename(path, free / path.filename(), failed);
    moved = moved && !failed;
  }
  if (!moved) {
    fs::remove(free, failed);  // only if it is empty
    return {};
  }
  saved_step_ = -1;
  return free.string();
}

void PartialWork::remove() {
  std::error_code ignored;
  fs::remove(latents_file(), ignored);
  fs::remove(folder_ / "state.json", ignored);
  fs::remove(reserve_file(), ignored);
  // What a save left that was killed in the middle (AtomicFile's names).
  std::vector<fs::path> unfinished;
  for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
    const auto name = entry.path().filename().string();
    const bool ours = name.starts_with(".latents.safetensors.") || name.starts_with(".state.json.");
    if (ours && name.ends_with(".tmp")) unfinished.push_back(entry.path());
  }
  for (const auto& file : unfinished) fs::remove(file, ignored);
  fs::remove(folder_, ignored);  // stays if a person put something else there
  saved_step_ = -1;
}

std::optional<KeptWork> PartialWork::kept() const {
  if (saved_step_ < 0) return std::nullopt;
  return KeptWork{saved_step_, total_steps_, folder_.string()};
}

}  // namespace rubato
