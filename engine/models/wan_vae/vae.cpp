#include "engine/models/wan_vae/vae.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/base/check.h"
#include "engine/base/guard.h"
#include "engine/models/component_folder.h"
#include "engine/models/wan_vae/decoder.h"
#include "engine/models/wan_vae/encoder.h"
#include "engine/models/wan_vae/memory.h"
#include "engine/models/wan_vae/tiles.h"

namespace rubato {

struct AutoencoderKLWan::Network final : nn::Module {
  explicit Network(const WanVaeConfig& config)
      : encoder(config),
        decoder(config),
        quant_conv(2 * config.z_dim, 2 * config.z_dim),
        post_quant_conv(config.z_dim, config.z_dim) {}

  void declare(nn::Declaration& d) override {
    d.child("encoder", encoder);
    d.child("quant_conv", quant_conv);
    d.child("post_quant_conv", post_quant_conv);
    d.child("decoder", decoder);
  }

  wan_vae::Encoder encoder;
  wan_vae::Decoder decoder;
  wan_vae::Pointwise quant_conv, post_quant_conv;
};

namespace wan_vae {
namespace {

// [B,3,F,H,W] -> [B,F,H/p,W/p,3·p·p], channel order colour, column, row.
at::Tensor fold(const at::Tensor& frames, std::int64_t patch) {
  return frames.unflatten(4, {-1, patch})
      .unflatten(3, {-1, patch})
      .permute({0, 2, 3, 5, 1, 6, 4})
      .flatten(4)
      .contiguous();
}

// The inverse.
at::Tensor unfold(const at::Tensor& x, std::int64_t patch) {
  return x.unflatten(4, {3, patch, patch}).permute({0, 4, 1, 2, 6, 3, 5}).flatten(5, 6).flatten(3, 4).contiguous();
}

void check_stop(const std::stop_token& stop, const char* what) {
  if (stop.stop_requested()) throw ErrorException({ErrorCode::Cancelled, std::string(what) + " was stopped"});
}

// "65", or "61 or 65": the values next to n in 1 + ratio·k.
std::string nearest_frames(std::int64_t n, std::int64_t ratio) {
  const std::int64_t below = 1 + (std::max<std::int64_t>(n, 1) - 1) / ratio * ratio;
  return n < 1 ? "1" : fmt::format("{} or {}", below, below + ratio);
}

void check_video(const at::Tensor& video, const WanVaeConfig& config) {
  RUBATO_CHECK(video.dim() == 5 && video.size(1) == 3, "encode: video ", video.sizes(), " is not [B,3,F,H,W]");
  const auto frames = video.size(2), height = video.size(3), width = video.size(4);
  const auto ratio = config.temporal_ratio(), cell = config.spatial_ratio();
  if (frames < 1 || (frames - 1) % ratio != 0) {
    throw ErrorException({ErrorCode::JobInvalid,
                          fmt::format("{} frames cannot be encoded; use {}", frames, nearest_frames(frames, ratio))});
  }
  if (height < cell || width < cell || height % cell != 0 || width % cell != 0) {
    const auto round = [&](std::int64_t n) { return std::max(cell, (n + cell / 2) / cell * cell); };
    throw ErrorException(
        {ErrorCode::JobInvalid, fmt::format("pictures of {}x{} cannot be encoded; the nearest size is {}x{}", width,
                                            height, round(width), round(height))});
  }
}

// In latent cells.
std::vector<Tile> planned(const Tiling& tiling, std::int64_t height, std::int64_t width, std::int64_t cell) {
  if (tiling.tile <= 0) return tiles_of(height, width, std::max(height, width), 0);
  const std::int64_t tile = std::max<std::int64_t>(tiling.tile / cell, 1);
  const std::int64_t wanted = tiling.overlap > 0 ? (tiling.overlap + cell - 1) / cell : tile / 4;
  return tiles_of(height, width, tile, std::min(wanted, tile - 1));
}

at::Tensor crop(const at::Tensor& x, const Tile& tile, std::int64_t scale) {
  return x.narrow(3, tile.rows.start * scale, tile.rows.length * scale)
      .narrow(4, tile.columns.start * scale, tile.columns.length * scale);
}

}  // namespace
}  // namespace wan_vae

AutoencoderKLWan::AutoencoderKLWan(const WanVaeConfig& config, at::Device device, at::ScalarType dtype)
    : config_(config), device_(device), dtype_(dtype), network_(std::make_unique<Network>(config)) {}
AutoencoderKLWan::~AutoencoderKLWan() = default;

Result<std::unique_ptr<AutoencoderKLWan>> AutoencoderKLWan::load(const std::filesystem::path& folder, at::Device device,
                                                                 at::ScalarType dtype) {
  RUBATO_TRY(component, open_component_folder<WanVaeConfig>(folder));
  return load(component.config, component.weights, device, dtype);
}

Result<std::unique_ptr<AutoencoderKLWan>> AutoencoderKLWan::load(const WanVaeConfig& config, const StateDict& weights,
                                                                 at::Device device, at::ScalarType dtype) {
  std::unique_ptr<AutoencoderKLWan> vae(new AutoencoderKLWan(config, device, dtype));
  RUBATO_OK(vae->network_->load(weights, {.device = device, .dtype = dtype}));
  return vae;
}

at::Tensor AutoencoderKLWan::encode(const at::Tensor& video, const EncodeOptions& options) const {
  const at::InferenceMode inference;
  wan_vae::check_video(video, config_);
  const std::int64_t cell = config_.spatial_ratio(), ratio = config_.temporal_ratio();
  const std::int64_t height = video.size(3) / cell, width = video.size(4) / cell;
  const std::int64_t latent_frames = config_.latent_frames_of(video.size(2));
  const auto tiles = wan_vae::planned(options.tiling, height, width, cell);

  const auto encode_tile = [&](const at::Tensor& part) {  // [B,3,F,H,W] -> [B,z,V,h,w]
    auto stream = network_->encoder.start();
    std::vector<at::Tensor> means;
    for (std::int64_t v = 0; v < latent_frames; ++v) {
      wan_vae::check_stop(options.stop, "encoding");
      const std::int64_t first = v == 0 ? 0 : 1 + (v - 1) * ratio;
      const at::Tensor frames = part.narrow(2, first, v == 0 ? 1 : ratio).to(device_, dtype_);
      const at::Tensor moments =
          network_->quant_conv(network_->encoder(wan_vae::fold(frames, config_.patch_size), stream));
      means.push_back(moments.narrow(4, 0, config_.z_dim));
    }
    return at::cat(means, 1).permute({0, 4, 1, 2, 3});
  };
  if (tiles.size() == 1) return encode_tile(video).contiguous();
  at::Tensor canvas = at::zeros({video.size(0), config_.z_dim, latent_frames, height, width},
                                at::TensorOptions(at::kFloat).device(device_));
  for (const auto& tile : tiles) wan_vae::paste(canvas, encode_tile(wan_vae::crop(video, tile, cell)), tile, 1);
  return canvas.to(dtype_);
}

void AutoencoderKLWan::decode(const at::Tensor& latent, const Sink& sink, const DecodeOptions& options) const {
  const at::InferenceMode inference;
  RUBATO_CHECK(latent.dim() == 5 && latent.size(1) == config_.z_dim && latent.numel() > 0, "decode: latent ",
               latent.sizes(), " is not [B,", config_.z_dim, ",V,h,w]");
  const std::int64_t cell = config_.spatial_ratio(), latent_frames = latent.size(2);
  const std::int64_t height = latent.size(3), width = latent.size(4);
  const auto tiles = wan_vae::planned(options.tiling, height, width, cell);
  const std::int64_t at_a_time = options.latents_at_a_time > 0
                                     ? options.latents_at_a_time
                                     : fast_latents_at_a_time(config_, tiles[0].columns.length * cell,
                                                              tiles[0].rows.length * cell, device_.is_cpu());
  const DecodeState start = options.start.value_or(DecodeState{});
  const auto on_device = [&](const std::vector<at::Tensor>& memories) {
    std::vector<at::Tensor> moved;
    for (const auto& memory : memories) moved.push_back(memory.defined() ? memory.to(device_) : memory);
    return moved;
  };
  std::int64_t done = 0;
  // Decodes latent frames from `first` on.
  const auto decode_tile = [&](const at::Tensor& part, std::int64_t first, wan_vae::Decoder::Stream stream,
                               const auto& use) {
    done += first;
    for (std::int64_t v = first; v < latent_frames; v += at_a_time) {
      wan_vae::check_stop(options.stop, "decoding");
      const std::int64_t n = std::min(at_a_time, latent_frames - v);
      const at::Tensor z = part.narrow(2, v, n).to(device_, dtype_).permute({0, 2, 3, 4, 1}).contiguous();
      at::Tensor pixels = network_->decoder(network_->post_quant_conv(z), stream);
      use(wan_vae::unfold(pixels, config_.patch_size), v + n, stream);
      done += n;
      if (options.progress) options.progress(done, latent_frames * static_cast<std::int64_t>(tiles.size()));
    }
  };
  if (tiles.size() == 1) {
    auto stream = start.parts > 0 ? network_->decoder.restored(on_device(start.memories)) : network_->decoder.start();
    decode_tile(latent, start.parts, std::move(stream),
                [&](at::Tensor frames, std::int64_t parts, const wan_vae::Decoder::Stream& after) {
                  sink(frames.clamp_(-1, 1));
                  if (options.on_part && parts < latent_frames)
                    options.on_part([&] { return DecodeState{parts, wan_vae::Decoder::remembered(after)}; });
                });
    return;
  }
  // Tile by tile through the whole clip: the histories of one tile, which outweigh its pixels, exist at a time.
  at::Tensor canvas =
      start.parts > 0 ? start.memories.at(0).clone()
                      : at::zeros({latent.size(0), 3, config_.frames_of(latent_frames), height * cell, width * cell},
                                  dtype_ == at::kFloat ? at::kFloat : at::kHalf);
  done = start.parts * latent_frames;
  for (std::int64_t t = start.parts; t < static_cast<std::int64_t>(tiles.size()); ++t) {
    const auto& tile = tiles[static_cast<std::size_t>(t)];
    std::int64_t at = 0;
    decode_tile(wan_vae::crop(latent, tile, 1), 0, network_->decoder.start(),
                [&](const at::Tensor& frames, std::int64_t, const wan_vae::Decoder::Stream&) {
                  at::Tensor place = canvas.narrow(2, at, frames.size(2));
                  wan_vae::paste(place, frames, tile, cell);
                  at += frames.size(2);
                });
    if (options.on_part) options.on_part([&] { return DecodeState{t + 1, {canvas}}; });
  }
  for (std::int64_t v = 0; v < latent_frames; ++v) {
    const std::int64_t first = v == 0 ? 0 : config_.frames_of(v);
    sink(canvas.narrow(2, first, config_.frames_of(v + 1) - first).clamp(-1, 1));
  }
}

at::Tensor AutoencoderKLWan::per_channel(const std::vector<double>& values, at::Device device) const {
  return at::tensor(values, at::kFloat).view({1, config_.z_dim, 1, 1, 1}).to(device);
}

at::Tensor AutoencoderKLWan::normalise(const at::Tensor& latent) const {
  return (latent.to(at::kFloat) - per_channel(config_.latents_mean, latent.device())) /
         per_channel(config_.latents_std, latent.device());
}

at::Tensor AutoencoderKLWan::denormalise(const at::Tensor& latent) const {
  return latent.to(at::kFloat) * per_channel(config_.latents_std, latent.device()) +
         per_channel(config_.latents_mean, latent.device());
}

std::uint64_t AutoencoderKLWan::decode_bytes(std::int64_t width, std::int64_t height, std::int64_t frames,
                                             std::int64_t tile) const {
  const std::int64_t w = tile > 0 ? std::min(tile, width) : width, h = tile > 0 ? std::min(tile, height) : height;
  return rubato::decode_bytes(config_, {.width = width,
                                        .height = height,
                                        .frames = frames,
                                        .tile = tile,
                                        .latents_at_a_time = fast_latents_at_a_time(config_, w, h, device_.is_cpu()),
                                        .bytes_per_value = static_cast<std::int64_t>(at::elementSize(dtype_))});
}

}  // namespace rubato
