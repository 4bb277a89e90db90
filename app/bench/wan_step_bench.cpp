// One denoising step of Wan 2.1 1.3B with random weights, both guidance branches, against the time of its attentions
// and matrix products alone: what the libraries need for the same shapes in the same order, branch after branch. The
// prompts are of realistic length, zeros past it, as WanPipeline gives them; the libraries attend to the padding, too.
#include <fmt/format.h>
#include <torch/types.h>

#include <deque>

#include "app/bench/bench.h"
#include "app/bench/random_weights.h"
#include "engine/models/wan/transformer.h"
#include "engine/policies/attention.h"
#include "kernels/attention/attention.h"
#include "kernels/device.h"
#include "kernels/gemm/linear.h"

namespace rubato::bench {
namespace {

constexpr double kGuidance = 5;
constexpr std::int64_t kTextTokens = 512;
// A prompt of some sixty words, and the length of the negative prompt that Wan publishes. As in
// tests/bench/gpu_wan_peer.py.
constexpr std::int64_t kPromptTokens = 80, kNegativePromptTokens = 126;

// Timers of parts of a run, read after it.
class Parts {
 public:
  explicit Parts(at::Device device) : device_(device) {}
  template <typename Fn>
  auto time(Fn&& fn) {
    DeviceTimer& timer = timers_.emplace_back(device_);
    timer.start();
    auto out = fn();
    timer.stop();
    return out;
  }
  double total_ms() const {
    double sum = 0;
    for (const DeviceTimer& timer : timers_) sum += timer.ms();
    return sum;
  }

 private:
  at::Device device_;
  std::deque<DeviceTimer> timers_;
};

class TimedAttention final : public AttentionPolicy {
 public:
  explicit TimedAttention(at::Device device) : parts(device) {}
  at::Tensor attend(const Site&, const Qkv& qkv, Dense dense) override {
    return parts.time([&] { return dense(qkv); });
  }
  Parts parts;
};

// Attention as the library alone computes it: one call of cuDNN on CUDA.
at::Tensor library_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  const at::Tensor a = q.transpose(1, 2), b = k.transpose(1, 2), c = v.transpose(1, 2);
  const bool cudnn = q.is_cuda() && q.scalar_type() != at::kFloat;
  const at::Tensor out = cudnn ? std::get<0>(at::_scaled_dot_product_cudnn_attention(a, b, c, {}, false))
                               : at::scaled_dot_product_attention(a, b, c);
  return out.transpose(1, 2).flatten(2);
}

// The attentions and products of one branch, on random data, without anything between them.
class LibraryFloor {
 public:
  LibraryFloor(const wan::Config& config, std::int64_t tokens, const Options& options)
      : layers_(config.layers), heads_(config.heads), options_(at::TensorOptions(options.device).dtype(options.dtype)) {
    const std::int64_t d = config.width(), f = config.ffn_width;
    x_ = random({1, tokens, d});
    wide_ = random({1, tokens, f});
    q_ = random({1, tokens, heads_, config.head_width});
    k_ = random({1, tokens, heads_, config.head_width});
    text_k_ = random({1, kTextTokens, heads_, config.head_width});
    text_v_ = random({1, kTextTokens, heads_, config.head_width});
    to_qkv_ = random({3 * d, d});
    to_out_ = random({d, d});
    up_ = random({f, d});
    down_ = random({d, f});
    bias_ = random({std::max(f, 3 * d)});
  }

  void run(Parts& self_attention, Parts& cross_attention, Parts& products) const {
    const auto product = [&](const at::Tensor& x, const at::Tensor& w) {
      return products.time([&] { return kernels::linear(x, w, bias_.narrow(0, 0, w.size(0))); });
    };
    for (std::int64_t i = 0; i < layers_; ++i) {
      const at::Tensor v = product(x_, to_qkv_).narrow(2, 2 * x_.size(2), x_.size(2)).unflatten(2, {heads_, -1});
      product(self_attention.time([&] { return library_attention(q_, k_, v); }), to_out_);
      product(x_, to_out_);
      product(cross_attention.time([&] { return library_attention(q_, text_k_, text_v_); }), to_out_);
      product(x_, up_);
      product(wide_, down_);
    }
  }

 private:
  at::Tensor random(std::vector<std::int64_t> shape) const {
    const double unit = shape.size() == 2 ? 1 / std::sqrt(static_cast<double>(shape[1])) : 1.0;
    return at::randn(shape, options_.dtype(at::kFloat)).mul_(unit).to(options_.dtype());
  }
  std::int64_t layers_, heads_;
  at::TensorOptions options_;
  at::Tensor x_, wide_, q_, k_, text_k_, text_v_, to_qkv_, to_out_, up_, down_, bias_;
};

// The cross-attentions of a step by themselves (on CUDA; the CPU's are no attention calls, see wan::TextKv).
Timing time_cross_attention(const wan::Config& config, const wan::TextContext& text, std::int64_t tokens,
                            const Options& options) {
  const at::Tensor q =
      at::randn({2, tokens, config.heads, config.head_width}, at::TensorOptions(options.device).dtype(options.dtype));
  return time_runs(options.device, options.repeats, [&] {
    for (const wan::TextKv& kv : text.blocks) (void)kernels::attention(q, kv.k, kv.v, {.bias = kv.log_count});
  });
}

// Medians of the parts of a whole pass for both branches.
struct LibraryTimes {
  Timing whole, self_attention, cross_attention, products;
};

LibraryTimes time_library(const LibraryFloor& floor, const Options& options) {
  std::vector<double> whole, self_attention, cross_attention, products;
  for (int i = -1; i < options.repeats; ++i) {
    Parts a(options.device), c(options.device), p(options.device);
    DeviceTimer timer(options.device);
    timer.start();
    for (int branch = 0; branch < 2; ++branch) floor.run(a, c, p);
    timer.stop();
    if (i < 0) continue;  // warm-up
    whole.push_back(timer.ms());
    self_attention.push_back(a.total_ms());
    cross_attention.push_back(c.total_ms());
    products.push_back(p.total_ms());
  }
  return {Timing::of(whole), Timing::of(self_attention), Timing::of(cross_attention), Timing::of(products)};
}

}  // namespace

Result<> wan_step(const Options& options) {
  const at::InferenceMode inference;
  wan::Config config;
  config.heads = 12;
  config.ffn_width = 8960;
  config.layers = options.layers;
  const std::int64_t frames = (options.frames - 1) / 4 + 1, rows = options.height / 8, columns = options.width / 8;
  RUBATO_OK(config.check_latent(frames, rows, columns));
  const std::int64_t tokens = frames * (rows / 2) * (columns / 2);

  wan::Transformer model(config);
  RandomWeights weights(options.device, options.dtype);
  weights.add(model);
  const bool streamed = options.offload != Offload::None;
  RUBATO_OK(model.load(weights.take(), {streamed ? at::Device(at::kCPU) : options.device, options.dtype, {}}));
  if (streamed) model.stream_layers(options.device);
  const auto random = [&](std::vector<std::int64_t> shape) {
    return at::randn(shape, at::TensorOptions(options.device).dtype(at::kFloat));
  };
  at::Tensor latents = random({1, config.in_channels, frames, rows, columns});
  at::Tensor prompts = random({2, kTextTokens, config.text_width});  // positive, negative
  prompts[0].slice(0, kPromptTokens).zero_();
  prompts[1].slice(0, kNegativePromptTokens).zero_();
  const wan::TextContext positive = model.text_context(prompts.narrow(0, 0, 1));
  const wan::TextContext negative = model.text_context(prompts.narrow(0, 1, 1));
  const wan::TextContext joined = model.text_context(prompts);
  const wan::RopeTable rope = model.rope(frames, rows, columns);
  const at::Tensor timestep = at::full({1}, 500.0, latents.options());

  const auto step = [&](AttentionPolicy& policy) {
    std::vector<at::Tensor> v;
    if (options.joined) {
      v = model.forward({latents, timestep, joined, rope}, policy).chunk(2);
    } else {
      v = {model.forward({latents, timestep, positive, rope}, policy),
           model.forward({latents, timestep, negative, rope}, policy)};
    }
    latents = latents - v[1].lerp(v[0], kGuidance) * 0.01;
  };
  DenseAttention dense;
  reset_peak_memory(options.device);
  const Timing whole = time_runs(options.device, options.repeats, [&] { step(dense); });
  const auto peak = memory_use(options.device).peak_bytes;
  std::vector<double> attention;
  for (int i = 0; i < 3; ++i) {
    TimedAttention timed(options.device);
    step(timed);
    attention.push_back(timed.parts.total_ms());
  }
  if (!latents.isfinite().all().item<bool>()) return Error{ErrorCode::Numerics, "the latents are not finite"};

  const LibraryTimes library = time_library(LibraryFloor(config, tokens, options), options);
  const double self_attention = Timing::of(attention).median_ms;
  const double cross_attention = options.device.is_cuda()
                                     ? time_cross_attention(config, joined, tokens, options).median_ms
                                     : library.cross_attention.median_ms;
  const double rest = whole.median_ms - self_attention - cross_attention - library.products.median_ms;
  const double share = library.whole.median_ms / whole.median_ms;
  const nlohmann::json report{{"bench", "wan-step"},
                              {"shape",
                               {{"tokens", tokens},
                                {"width", config.width()},
                                {"heads", config.heads},
                                {"layers", config.layers},
                                {"ffn", config.ffn_width},
                                {"text_tokens", kTextTokens},
                                {"prompt_tokens", {kPromptTokens, kNegativePromptTokens}},
                                {"dtype", c10::toString(options.dtype)},
                                {"weights", "random"}}},
                              {"offload", offload_name(streamed ? Offload::Layers : Offload::None)},
                              {"branches", options.joined ? "joined" : "one after the other"},
                              {"step", whole.json()},
                              {"split_ms",
                               {{"self_attention", self_attention},
                                {"cross_attention", cross_attention},
                                {"products", library.products.median_ms},
                                {"rest", rest}}},
                              {"library",
                               {{"whole", library.whole.json()},
                                {"self_attention", library.self_attention.json()},
                                {"cross_attention", library.cross_attention.json()},
                                {"products", library.products.json()}}},
                              {"roofline_share", share},
                              {"peak_bytes", peak},
                              {"machine", machine(options.device)}};
  fmt::print("step, branches {:<9} {:9.2f} ms ({:.2f} to {:.2f})\n", options.joined ? "joined" : "in turn",
             whole.median_ms, whole.min_ms, whole.max_ms);
  fmt::print(
      "  self-attention         {:9.2f}\n  cross-attention        {:9.2f}   (by itself; library, all {} keys: "
      "{:.2f})\n",
      self_attention, cross_attention, kTextTokens, library.cross_attention.median_ms);
  fmt::print("  products               {:9.2f}   (of the library pass)\n  rest                   {:9.2f}\n",
             library.products.median_ms, rest);
  fmt::print("library pass             {:9.2f} ms, {:.1f} % of the step\npeak memory              {:9.2f} GB\n{}\n",
             library.whole.median_ms, 100 * share, static_cast<double>(peak) * 1e-9, report["machine"].dump());
  return write_report(options, report);
}

}  // namespace rubato::bench
