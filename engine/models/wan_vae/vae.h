// AutoencoderKLWan: between video and latents, streamed.
//
// B batch, F frames, V latent frames; F = 1 + r(V - 1) with the temporal ratio r (4 for Wan). Time is causal: a frame
// depends on earlier frames only, so encoder and decoder go through a clip in chunks and carry the last input frames of
// every convolution; any chunking gives the whole clip's result. Outside, tensors are [B,C,F,H,W] as in the reference;
// inside, [B,F,H,W,C] with channels last.
//
// An AutoencoderKLWan is constant once loaded: several threads may encode and decode at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "engine/base/error.h"
#include "engine/models/wan_vae/config.h"
#include "engine/tensor/state_dict.h"

namespace rubato {

// How a clip is cut in space. Neighbouring tiles overlap and are blended linearly.
struct Tiling {
  std::int64_t tile = 0;     // side of a square tile in pixels, rounded down to whole latent cells; 0 = whole frames
  std::int64_t overlap = 0;  // pixels that neighbours share at least; 0 = a quarter of the tile
};

struct EncodeOptions {
  Tiling tiling;
  std::stop_token stop;  // checked before every chunk of every tile
};

// Where a decode stands after a part of it: after some latent frames of whole frames, or after some tiles. Enough to go
// on from there and get the same frames bit for bit, with the same tiling on the same device.
struct DecodeState {
  std::int64_t parts = 0;            // latent frames, or tiles, that are done
  std::vector<at::Tensor> memories;  // of the stream, or the canvas of the tiles; entries may be undefined
};

struct DecodeOptions {
  Tiling tiling;
  std::int64_t latents_at_a_time = 0;  // latent frames in one pass; 0 = what is fast for the size and device
  std::stop_token stop;                // checked before every chunk of every tile
  std::function<void(std::int64_t done, std::int64_t total)> progress;  // latent frames, over all tiles; may be empty
  // Going on: frames before `start` are not given to the sink again. After each part on_part is told how to make the
  // state; making it costs memory and time, so it is left to whoever wants one.
  std::optional<DecodeState> start;
  std::function<void(const std::function<DecodeState()>& state)> on_part;
};

class AutoencoderKLWan {
 public:
  // From a diffusers component folder: config.json and weights, stored in any float type. dtype: what it computes in.
  static Result<std::unique_ptr<AutoencoderKLWan>> load(const std::filesystem::path& folder, at::Device device,
                                                        at::ScalarType dtype);
  // From weights that were opened elsewhere, under the names of diffusers.
  static Result<std::unique_ptr<AutoencoderKLWan>> load(const WanVaeConfig& config, const StateDict& weights,
                                                        at::Device device, at::ScalarType dtype);
  ~AutoencoderKLWan();

  // video [B,3,F,H,W] in -1..1, F = 1 + r·k, H and W multiples of the spatial ratio, any device and float type
  // -> mean of the posterior [B,z,V,h,w], on the VAE's device in its dtype, not normalised.
  // Throws ErrorException: Cancelled when stopped, JobInvalid for a size that does not divide.
  at::Tensor encode(const at::Tensor& video, const EncodeOptions& options = {}) const;

  // latent [B,z,V,h,w], de-normalised, any device and float type. The sink gets frames [B,3,n,H,W] in order, clamped to
  // -1..1, as soon as they are ready: 1 for the first latent frame and r for each later one, grouped by pass. They have
  // the VAE's dtype and device; of a tiled decode they come after the last tile, on the CPU, in float32 or, if the VAE
  // does not compute in float32, in float16. Throws ErrorException with Cancelled when stopped.
  using Sink = std::function<void(const at::Tensor& frames)>;
  void decode(const at::Tensor& latent, const Sink& sink, const DecodeOptions& options = {}) const;

  // (latent - mean) / std per channel, and back; float32, on the latent's device.
  at::Tensor normalise(const at::Tensor& latent) const;
  at::Tensor denormalise(const at::Tensor& latent) const;

  // Estimated peak bytes besides the weights of decoding a clip (memory.h); tile in pixels, 0 = whole frames.
  std::uint64_t decode_bytes(std::int64_t width, std::int64_t height, std::int64_t frames, std::int64_t tile) const;

  const WanVaeConfig& config() const { return config_; }
  at::Device device() const { return device_; }
  at::ScalarType dtype() const { return dtype_; }

 private:
  struct Network;
  AutoencoderKLWan(const WanVaeConfig& config, at::Device device, at::ScalarType dtype);
  at::Tensor per_channel(const std::vector<double>& values, at::Device device) const;

  WanVaeConfig config_;
  at::Device device_;
  at::ScalarType dtype_;
  std::unique_ptr<Network> network_;
};

}  // namespace rubato
