// Partial work of a job: OUT.rubato-partial/ beside the output, from which the same command goes on.
//
//   latents.safetensors   latents and the scheduler's tensors; its header carries the state, so that one atomic
//                         rename replaces tensors and state together
//   state.json            the same state for people
//   lock                  of the process that works here (output_lock.h); not this class's
//   reserve               disk space held for the saves to come; only while the job runs
// A key (hash of everything that decides the result) guards against going on with other settings.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "engine/base/error.h"
#include "pipelines/job/kept_work.h"
#include "pipelines/text_to_video/wan_pipeline.h"

namespace rubato {

class PartialWork {
 public:
  // Of an output; touches nothing yet. `key` names the settings that the saved state belongs to.
  PartialWork(const std::filesystem::path& output, std::string key, std::uint64_t seed);
  ~PartialWork();  // gives the reserve back; an empty folder goes
  PartialWork(const PartialWork&) = delete;
  PartialWork& operator=(const PartialWork&) = delete;

  // The seed of the work kept for an output, if any: what a job that leaves its seed open goes on with.
  static std::optional<std::uint64_t> seed_in(const std::filesystem::path& output);

  // The state saved by an earlier run with the same key; nothing when there is none. A state of other settings or
  // a damaged one is ignored, `ignored` says why.
  std::optional<DenoiseState> load(std::string& ignored) const;

  // Holds the disk space that every save() will need, so that a full disk is noticed before the work and not after it.
  // Also finds what an earlier run with the same key kept. CannotWrite when states of `latents_bytes` and what a
  // sampler remembers do not fit.
  Result<> reserve(std::uint64_t latents_bytes);

  // Saves after a step; replaces the earlier state. CannotWrite on a full disk: the earlier state stays.
  Result<> save(const DenoiseState& state, int total_steps);

  // Moves work of other settings out of the way, to a free name that is returned; "" when there is none to move.
  std::string set_aside();

  // Removes the folder (the job is done) and what it holds, nothing else.
  void remove();

  const std::filesystem::path& folder() const { return folder_; }
  // What is there to go on from, of this run or an earlier one; nothing when there is none.
  std::optional<KeptWork> kept() const;

 private:
  std::filesystem::path latents_file() const { return folder_ / "latents.safetensors"; }
  std::filesystem::path reserve_file() const { return folder_ / "reserve"; }
  Result<> create_folder() const;
  Result<> hold(int states) const;
  Result<> write(const DenoiseState& state, int total_steps);

  std::filesystem::path folder_;
  std::string key_;
  std::uint64_t seed_;
  std::uint64_t state_bytes_ = 0;          // held in the reserve for one state; 0 = nothing was reserved
  int saved_step_ = -1, total_steps_ = 0;  // steps finished in the saved state, -1 if none
};

}  // namespace rubato
