// What is kept of a decode that is not finished, in the partial folder of its job:
//
//   frames/000001.safetensors …   the frames so far, as the decoder gave them, a file per save
//   decode.safetensors            where the decoder stands: its streams' memories, or the canvas of its tiles
//
// The second is replaced atomically after the first is written, so it never speaks of frames that are not there. A
// decode that takes seconds is not saved at all (save_clock.h).
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/models/wan_vae/vae.h"
#include "pipelines/runner/save_clock.h"

namespace rubato {

class DecodeWork {
 public:
  // `key` names the latents that are decoded.
  DecodeWork(std::filesystem::path partial_folder, std::string key);

  struct Saved {
    DecodeState state;
    std::int64_t tile = 0;  // of the tiling that it was made with
  };
  // What an earlier run kept of decoding the same latents. The frames of it are given to `sink` in order; nothing is
  // given and nothing returned when something is missing or damaged.
  std::optional<Saved> resume(const AutoencoderKLWan::Sink& sink);

  // Frames that the decoder has given, on the CPU. A decode so fast that they pile up before a save is due is not
  // worth keeping: it begins anew from the latents.
  void add(const at::Tensor& frames);
  // A part is done: saves if it is time to. CannotWrite on a full disk; what was saved before stays.
  Result<> part_done(const std::function<DecodeState()>& state, std::int64_t tile);
  void remove();

 private:
  std::filesystem::path state_file() const { return folder_ / "decode.safetensors"; }
  std::filesystem::path frames_file(int number) const;
  Result<> save(const DecodeState& state, std::int64_t tile);

  std::filesystem::path folder_;
  std::string key_;
  SaveClock clock_;
  std::vector<at::Tensor> pending_;  // frames since the last save
  std::uint64_t pending_bytes_ = 0;
  bool given_up_ = false;
  int saved_files_ = 0;
};

}  // namespace rubato
