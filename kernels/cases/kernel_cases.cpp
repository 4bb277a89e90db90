#include "kernels/cases/kernel_cases.h"

#include <cmath>

#include "kernels/attention/attention.h"
#include "kernels/gemm/linear.h"
#include "kernels/norm/norm.h"
#include "kernels/rope/rope.h"

namespace rubato::kernels {
namespace {

using Kind = KernelCase::Kind;
using Tensors = KernelCase::Tensors;
using Use = KernelCase::Use;
constexpr double kEps = 1e-6;

std::string joined(std::initializer_list<std::int64_t> sizes) {
  std::string text;
  for (const std::int64_t n : sizes) text += (text.empty() ? "" : "x") + std::to_string(n);
  return text;
}

// Not centred, so that a mean that is left out shows; not of unit size, so that an eps in the wrong place shows.
KernelCase::Input rows(const at::TensorOptions& o, std::int64_t b, std::int64_t s, std::int64_t d) {
  return {at::randn({b, s, d}, o).mul_(1.5).add_(0.25)};
}
KernelCase::Input weight(const at::TensorOptions& o, std::int64_t d) { return {at::randn({d}, o).mul_(0.2).add_(1)}; }
KernelCase::Input wide(at::Tensor value) { return {std::move(value), Kind::Wide}; }

// Shift, scale and gate as a model has them: slices of one tensor [B,G,6,D].
at::Tensor part(const at::Tensor& modulation, int i) { return modulation.select(2, i); }

struct RowCase {
  std::int64_t b, s, d, groups;
  Use use;
  std::string shape() const {
    return joined({b, s, d}) + (groups == 1 ? "" : groups == s ? " a step per token" : " a step per frame");
  }
};

void add_row_norms(std::vector<KernelCase>& all, const RowCase& c) {
  const auto add = [&](const char* kernel, auto inputs, auto run, auto reference) {
    all.push_back({kernel, c.shape(), c.use, 1, 0, false, 0, inputs, run, reference});
  };
  const auto none = std::function<Tensors(const Tensors&, const Tensors&)>();
  const auto modulated = [c](const at::TensorOptions& o) -> std::vector<KernelCase::Input> {
    return {rows(o, c.b, c.s, c.d), rows(o, c.b, c.s, c.d), wide(at::randn({c.b, c.groups, 6, c.d}, o))};
  };
  const auto affine = [c](const at::TensorOptions& o) -> std::vector<KernelCase::Input> {
    return {rows(o, c.b, c.s, c.d), rows(o, c.b, c.s, c.d), wide(at::randn({c.b, c.groups, 6, c.d}, o)), weight(o, c.d),
            weight(o, c.d)};
  };
  const auto one = [c](const at::TensorOptions& o) -> std::vector<KernelCase::Input> {
    return {rows(o, c.b, c.s, c.d), weight(o, c.d), weight(o, c.d)};
  };
  add(
      "layer_norm_modulated",
      [c](const at::TensorOptions& o) -> std::vector<KernelCase::Input> {
        return {rows(o, c.b, c.s, c.d), wide(at::randn({c.b, c.groups, 6, c.d}, o))};
      },
      [](const Tensors& t) -> Tensors { return {layer_norm_modulated(t[0], part(t[1], 0), part(t[1], 1), kEps)}; },
      none);
  add(
      "gated_residual", modulated,
      [](const Tensors& t) -> Tensors { return {gated_residual(t[0], t[1], part(t[2], 2))}; }, none);
  add(
      "residual_norm_modulated", modulated,
      [](const Tensors& t) -> Tensors {
        const auto r = residual_norm_modulated(t[0], t[1], part(t[2], 2), part(t[2], 3), part(t[2], 4), kEps);
        return {r.x, r.n};
      },
      [](const Tensors& t, const Tensors& got) -> Tensors {
        return {gated_residual(t[0], t[1], part(t[2], 2)),
                layer_norm_modulated(got[0], part(t[2], 3), part(t[2], 4), kEps)};
      });
  if (c.groups != 1) return;  // the rest has no time step
  add(
      "residual_norm_affine", affine,
      [](const Tensors& t) -> Tensors {
        const auto r = residual_norm_affine(t[0], t[1], part(t[2], 2), t[3], t[4], kEps);
        return {r.x, r.n};
      },
      [](const Tensors& t, const Tensors& got) -> Tensors {
        return {gated_residual(t[0], t[1], part(t[2], 2)), layer_norm_affine(got[0], t[3], t[4], kEps)};
      });
  add(
      "layer_norm_affine", one, [](const Tensors& t) -> Tensors { return {layer_norm_affine(t[0], t[1], t[2], kEps)}; },
      none);
  add("rms_norm", one, [](const Tensors& t) -> Tensors { return {rms_norm(t[0], t[1], kEps)}; }, none);
  if (c.use == Use::Bench) return;
  add(
      "residual_norm_modulated, no gate", modulated,
      [](const Tensors& t) -> Tensors {
        const auto r = residual_norm_modulated(t[0], t[1], {}, part(t[2], 3), part(t[2], 4), kEps);
        return {r.x, r.n};
      },
      [](const Tensors& t, const Tensors& got) -> Tensors {
        return {t[0] + t[1], layer_norm_modulated(got[0], part(t[2], 3), part(t[2], 4), kEps)};
      });
  add(
      "rms_norm, float32 weight",
      [c](const at::TensorOptions& o) -> std::vector<KernelCase::Input> {
        return {rows(o, c.b, c.s, c.d), wide(weight(o, c.d).value)};
      },
      [](const Tensors& t) -> Tensors { return {rms_norm(t[0], t[1], kEps)}; }, none);
  // Rows that begin where no 16-byte access can.
  if (c.d > 1) {
    add(
        "rms_norm, slices", one,
        [d = c.d](const Tensors& t) -> Tensors { return {rms_norm(t[0].slice(2, 1), t[1].slice(0, 0, d - 1), kEps)}; },
        none);
  }
}

void add_rope(std::vector<KernelCase>& all, std::int64_t b, std::int64_t s, int heads, std::int64_t d, Use use) {
  const bool sliced = use == Use::Parity;  // a slice of a fused projection
  all.push_back({"rms_norm_rope",
                 joined({b, s, heads * d}) + " " + std::to_string(heads) + " heads",
                 use,
                 1,
                 0,
                 false,
                 0,
                 [=](const at::TensorOptions& o) -> std::vector<KernelCase::Input> {
                   const at::Tensor angle = at::randn({s, d / 2}, o).mul_(3);
                   return {rows(o, b, s, heads * d * (sliced ? 3 : 1)), weight(o, heads * d), wide(angle.cos()),
                           wide(angle.sin())};
                 },
                 [=](const Tensors& t) -> Tensors {
                   const at::Tensor x = sliced ? t[0].narrow(2, heads * d, heads * d) : t[0];
                   return {rms_norm_rope(x, t[1], kEps, t[2], t[3], heads)};
                 },
                 {}});
}

void add_channel_norm(std::vector<KernelCase>& all, std::int64_t c, std::int64_t f, std::int64_t h, std::int64_t w,
                      Use use) {
  const auto inputs = [=](const at::TensorOptions& o) -> std::vector<KernelCase::Input> {
    const at::Tensor x = at::randn({1, c, f, h, w}, o).mul_(2);
    return {{x.contiguous(at::MemoryFormat::ChannelsLast3d)}, {at::randn({c, 1, 1, 1}, o).add_(1)}};
  };
  all.push_back({"channel_norm_silu",
                 joined({1, c, f, h, w}),
                 use,
                 1,
                 0,
                 false,
                 0,
                 inputs,
                 [](const Tensors& t) -> Tensors { return {channel_norm_silu(t[0], t[1])}; },
                 {}});
  if (use == Use::Bench) return;
  all.push_back({"channel_norm",
                 joined({1, c, f, h, w}),
                 use,
                 1,
                 0,
                 false,
                 0,
                 inputs,
                 [](const Tensors& t) -> Tensors { return {channel_norm(t[0], t[1])}; },
                 {}});
}

// What softmax has to do with: scores near each other, and so far apart that one key takes all.
enum class Scores { Mild, Steep };
double largest(Scores scores) { return scores == Scores::Steep ? 150 : 5; }
const char* name_of(Scores scores) { return scores == Scores::Steep ? ", steep" : ""; }
KernelCase::Input queries(const at::TensorOptions& o, std::int64_t b, std::int64_t s, std::int64_t heads,
                          std::int64_t d, Scores scores) {
  return {at::randn({b, s, heads, d}, o).mul_(scores == Scores::Steep ? 30 : 1)};
}

// Long sums of rounded products: a few roundings of slack (cuDNN rounds the probabilities to the element type).
void add_attention(std::vector<KernelCase>& all, std::int64_t b, std::int64_t s, std::int64_t t, std::int64_t heads,
                   std::int64_t d, Scores scores, Use use) {
  const bool sliced = use == Use::Parity;  // values that are a slice of a fused projection
  all.push_back({"attention",
                 joined({b, s, t}) + ", " + std::to_string(heads) + " heads of " + std::to_string(d) + name_of(scores),
                 use,
                 4,
                 largest(scores),
                 use == Use::Bench,
                 4.0 * static_cast<double>(b * s * t * heads * d),
                 [=](const at::TensorOptions& o) -> std::vector<KernelCase::Input> {
                   return {queries(o, b, s, heads, d, scores),
                           {at::randn({b, t, heads, d}, o)},
                           {at::randn({b, t, sliced ? 3 * heads : heads, d}, o)}};
                 },
                 [=](const Tensors& x) -> Tensors {
                   return {attention(x[0], x[1], sliced ? x[2].narrow(2, 2 * heads, heads) : x[2])};
                 },
                 {}});
}

// Keys that stand for several, one set of queries for all samples.
void add_counted_attention(std::vector<KernelCase>& all, std::int64_t b, std::int64_t s, std::int64_t t,
                           std::int64_t heads, std::int64_t d, Scores scores, Use use) {
  all.push_back({"attention, counted keys",
                 joined({b, s, t}) + ", " + std::to_string(heads) + " heads of " + std::to_string(d) + name_of(scores),
                 use,
                 4,
                 largest(scores),
                 use == Use::Bench,
                 0,
                 [=](const at::TensorOptions& o) -> std::vector<KernelCase::Input> {
                   return {queries(o, use == Use::Bench ? b : 1, s, heads, d, scores),
                           {at::randn({b, t, heads, d}, o)},
                           {at::randn({b, t, heads, d}, o)},
                           wide(at::rand({t}, o).mul_(6))};
                 },
                 [b](const Tensors& x) -> Tensors {
                   return {attention(x[0].expand({b, -1, -1, -1}), x[1], x[2], {.bias = x[3]})};
                 },
                 {}});
}

void add_linear(std::vector<KernelCase>& all, std::int64_t rows_in, std::int64_t k, std::int64_t n, bool gelu,
                Use use) {
  const double flops = 2.0 * static_cast<double>(rows_in * k * n);
  all.push_back({gelu ? "linear_gelu_tanh" : "linear",
                 joined({rows_in, k, n}),
                 use,
                 4,
                 0,
                 use == Use::Bench,
                 flops,
                 [=](const at::TensorOptions& o) -> std::vector<KernelCase::Input> {
                   const double unit = 1 / std::sqrt(static_cast<double>(k));
                   return {{at::randn({1, rows_in, k}, o)}, {at::randn({n, k}, o).mul_(unit)}, {at::randn({n}, o)}};
                 },
                 [gelu](const Tensors& t) -> Tensors {
                   return {gelu ? linear_gelu_tanh(t[0], t[1], t[2]) : linear(t[0], t[1], t[2])};
                 },
                 {}});
}

std::vector<KernelCase> build() {
  std::vector<KernelCase> all;
  for (const std::int64_t d : {1, 63, 320, 1536, 3072, 5120, 5121, 20480})
    add_row_norms(all, {2, 6, d, 1, Use::Parity});
  for (const std::int64_t d : {33, 1536}) {
    add_row_norms(all, {2, 6, d, 3, Use::Parity});
    add_row_norms(all, {1, 6, d, 6, Use::Parity});
  }
  add_rope(all, 2, 5, 2, 6, Use::Parity);
  add_rope(all, 2, 5, 5, 64, Use::Parity);
  add_rope(all, 1, 7, 12, 128, Use::Parity);
  add_rope(all, 1, 3, 40, 128, Use::Parity);
  for (const std::int64_t c : {5, 64, 96, 160, 192, 256, 384, 640, 1024, 3000})
    add_channel_norm(all, c, 2, 3, 5, Use::Parity);
  for (const Scores scores : {Scores::Mild, Scores::Steep}) {
    add_attention(all, 2, 130, 130, 3, 64, scores, Use::Parity);
    add_attention(all, 2, 130, 400, 3, 64, scores, Use::Parity);
    add_attention(all, 1, 257, 77, 2, 128, scores, Use::Parity);
    add_attention(all, 1, 33, 33, 2, 20, scores, Use::Parity);
    // Many keys, by whole tiles of 128 and past the last one.
    add_attention(all, 2, 300, 2048, 2, 128, scores, Use::Parity);
    add_attention(all, 1, 129, 2049, 2, 128, scores, Use::Parity);
    add_attention(all, 3, 128, 2175, 2, 128, scores, Use::Parity);
    add_attention(all, 2, 40, 8200, 3, 128, scores, Use::Parity);
    add_attention(all, 1, 40, 8319, 2, 64, scores, Use::Parity);
    add_attention(all, 1, 64, 64, 1, 384, scores, Use::Parity);
    add_counted_attention(all, 2, 130, 1, 3, 64, scores, Use::Parity);
    add_counted_attention(all, 3, 257, 63, 3, 128, scores, Use::Parity);
    add_counted_attention(all, 1, 1, 128, 2, 128, scores, Use::Parity);
    add_counted_attention(all, 2, 1000, 129, 5, 64, scores, Use::Parity);
    add_counted_attention(all, 1, 40, 192, 2, 128, scores, Use::Parity);
    add_counted_attention(all, 1, 40, 300, 2, 128, scores, Use::Parity);  // more than the kernel for few keys takes
    add_counted_attention(all, 1, 33, 48, 2, 20, scores, Use::Parity);    // and a head width that it does not
  }
  add_linear(all, 37, 96, 200, false, Use::Parity);
  add_linear(all, 37, 96, 200, true, Use::Parity);
  add_linear(all, 1, 256, 1536, false, Use::Parity);

  // Wan 2.1 1.3B, 832x480, 81 frames: 21 x 30 x 52 tokens; and its VAE's decoder, four frames at a time.
  constexpr std::int64_t kTokens = 32760, kWidth = 1536;
  add_row_norms(all, {1, kTokens, kWidth, 1, Use::Bench});
  add_rope(all, 1, kTokens, 12, 128, Use::Bench);
  add_channel_norm(all, 384, 4, 240, 416, Use::Bench);
  add_channel_norm(all, 192, 4, 480, 832, Use::Bench);
  add_channel_norm(all, 96, 4, 480, 832, Use::Bench);
  for (const std::int64_t keys : {std::int64_t{512}, std::int64_t{2048}, kTokens})
    add_attention(all, 1, kTokens, keys, 12, 128, Scores::Mild, Use::Bench);
  for (const std::int64_t keys : {64, 128, 192})
    add_counted_attention(all, 2, kTokens, keys, 12, 128, Scores::Mild, Use::Bench);
  add_linear(all, kTokens, kWidth, 3 * kWidth, false, Use::Bench);
  add_linear(all, kTokens, kWidth, kWidth, false, Use::Bench);
  add_linear(all, kTokens, kWidth, 8960, true, Use::Bench);
  add_linear(all, kTokens, kWidth, 8960, false, Use::Bench);
  add_linear(all, kTokens, 8960, kWidth, false, Use::Bench);
  return all;
}

}  // namespace

const std::vector<KernelCase>& kernel_cases() {
  static const std::vector<KernelCase> all = build();
  return all;
}

Tensors make_inputs(const KernelCase& kernel_case, at::Device device, at::ScalarType element) {
  const auto type_of = [&](Kind kind) {
    if (kind == Kind::Element || element == at::kDouble) return element;
    return at::kFloat;
  };
  // A large case is drawn where it is used.
  const bool large = kernel_case.use == Use::Bench;
  const auto options = large ? at::TensorOptions(device).dtype(at::kFloat) : at::TensorOptions().dtype(at::kDouble);
  Tensors all;
  for (const auto& [value, kind] : kernel_case.inputs(options)) all.push_back(value.to(device, type_of(kind)));
  return all;
}

double fewest_bytes(const Tensors& inputs, const Tensors& results) {
  double bytes = 0;
  for (const Tensors* list : {&inputs, &results})
    for (const at::Tensor& t : *list) bytes += static_cast<double>(t.nbytes());
  return bytes;
}

}  // namespace rubato::kernels
