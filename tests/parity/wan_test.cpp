// The Wan transformer, the UMT5 encoder and the denoising loop against diffusers and transformers, in float32 on the
// CPU, on random tiny checkpoints (data: make_wan.py).
#include <nlohmann/json.hpp>

#include "engine/base/files.h"
#include "engine/files/tokenizer.h"
#include "engine/models/umt5/encoder.h"
#include "engine/models/wan/transformer.h"
#include "engine/nn/tap.h"
#include "engine/sampling/scheduler.h"
#include "engine/text/wan_text.h"
#include "tests/parity/golden.h"

namespace rubato {
namespace {

template <typename T>
T unwrap(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().message);
  return std::move(result).value();
}

nlohmann::json read_json(const std::filesystem::path& file) {
  return nlohmann::json::parse(unwrap(read_file(file, 1 << 24)));
}

std::unique_ptr<wan::Transformer> load_transformer(const std::filesystem::path& folder) {
  return unwrap(wan::Transformer::load_folder(folder, at::kCPU, at::kFloat));
}

void expect_taps(const Tensors& got, const Tensors& want, const std::string& where) {
  int compared = 0;
  for (const auto& [name, value] : want) {
    if (!name.starts_with("tap.")) continue;
    const auto found = got.find(name.substr(4));
    ASSERT_NE(found, got.end()) << name;
    // The text may leave out repetitions of its padding.
    const bool text = name == "tap.text_embedding";
    expect_close(found->second, text ? value.slice(1, 0, found->second.size(1)) : value, where + " " + name);
    ++compared;
  }
  EXPECT_GE(compared, 6) << where;
}

class WanTransformerParity : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(WanTransformerParity, VelocityAndEveryLayerAreTheReferences) {
  const auto model = load_transformer(GetParam());
  const Tensors want = golden(GetParam() / "golden.safetensors");
  Tensors taps;
  at::Tensor velocity;
  {
    const nn::TapRecorder recorder(taps);
    velocity = model->forward(want.at("latent"), want.at("timestep"), want.at("text"));
  }
  expect_taps(taps, want, GetParam().filename());
  expect_close(velocity, want.at("velocity"), "velocity");
}

TEST_P(WanTransformerParity, TimeStepsMayDifferPerTokenOrPerFrame) {
  const auto model = load_transformer(GetParam());
  const Tensors want = golden(GetParam() / "golden.safetensors");
  const at::Tensor latent = want.at("latent"), per_token = want.at("per_token");
  expect_close(model->forward(latent, per_token, want.at("text")), want.at("velocity_per_token"), "per token");
  const at::Tensor per_frame = per_token.view({1, latent.size(2) / model->config().patch[0], -1}).select(2, 0);
  expect_close(model->forward(latent, per_frame, want.at("text")), want.at("velocity_per_token"), "per frame");
}

TEST_P(WanTransformerParity, GuidanceInOneCallEqualsTwoCalls) {
  const auto model = load_transformer(GetParam());
  const Tensors want = golden(GetParam() / "golden.safetensors");
  const at::Tensor latent = want.at("latent"), text = want.at("text");
  const at::Tensor both = at::cat({text, at::zeros_like(text)});
  const at::Tensor velocity = model->forward(latent, want.at("timestep"), both);
  expect_close(velocity.slice(0, 0, 1), want.at("velocity"), "first branch", 1e-5);
  const at::Tensor second = model->forward(latent, want.at("timestep"), at::zeros_like(text));
  expect_close(velocity.slice(0, 1, 2), second, "second branch", 1e-5);
}

TEST_P(WanTransformerParity, BFloat16AgreesWithinItsOwnError) {
  const auto model = unwrap(wan::Transformer::load_folder(GetParam(), at::kCPU, at::kBFloat16));
  const Tensors want = golden(GetParam() / "golden.safetensors");
  EXPECT_EQ(model->dtype(), at::kBFloat16);
  expect_close(model->forward(want.at("latent"), want.at("timestep"), want.at("text")), want.at("velocity"), "bfloat16",
               0.06);
}

INSTANTIATE_TEST_SUITE_P(Folders, WanTransformerParity, testing::ValuesIn(golden_folders("wan_dit")), folder_name);

class Umt5Parity : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Umt5Parity, StatesAreTheReferences) {
  const auto encoder = unwrap(umt5::Encoder::load_folder(GetParam(), at::kCPU, at::kFloat));
  const Tensors want = golden(GetParam() / "golden.safetensors");
  const at::Tensor mask = want.at("mask").to(at::kBool), states = encoder->forward(want.at("ids"), mask);
  const at::Tensor seen = mask.unsqueeze(2).to(at::kFloat);  // what padding itself becomes is nobody's business
  expect_close(states * seen, want.at("states") * seen, "masked");
  const std::int64_t used = want.at("alone").size(1);
  const at::Tensor alone = encoder->forward(want.at("ids").slice(0, 0, 1).slice(1, 0, used));
  expect_close(alone, want.at("alone"), "without padding");
  expect_close(alone, states.slice(0, 0, 1).slice(1, 0, used), "padding changes nothing", 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Folders, Umt5Parity, testing::ValuesIn(golden_folders("wan_umt5")), folder_name);

// The whole recipe but the VAE, as plainly as it can be written, against WanPipeline.
class WanPipelineParity : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(WanPipelineParity, TextIsTheReferences) {
  const auto encoder = unwrap(umt5::Encoder::load_folder(GetParam() / "text_encoder", at::kCPU, at::kFloat));
  const auto tokenizer = unwrap(Tokenizer::load(GetParam() / "tokenizer"));
  for (const auto& file : golden_files(GetParam())) {
    const Tensors want = golden(file);
    const auto job = nlohmann::json::parse(golden_metadata(file, "job"));
    const auto prompt =
        unwrap(encode_wan_prompt(*encoder, *tokenizer, job["prompt"].get<std::string>(), job["max_sequence_length"]));
    EXPECT_TRUE(at::equal(prompt.ids, want.at("prompt_ids"))) << job["prompt"];
    expect_close(prompt.embeds, want.at("prompt_embeds"), job["prompt"]);
    const auto negative = unwrap(
        encode_wan_prompt(*encoder, *tokenizer, job["negative_prompt"].get<std::string>(), job["max_sequence_length"]));
    expect_close(negative.embeds, want.at("negative_prompt_embeds"), job["negative_prompt"]);
  }
}

TEST_P(WanPipelineParity, FirstCallIsTheReferencesLayerByLayer) {
  const auto model = load_transformer(GetParam() / "transformer");
  for (const auto& file : golden_files(GetParam())) {
    const Tensors want = golden(file);
    Tensors taps;
    at::Tensor velocity;
    {
      const nn::TapRecorder recorder(taps);
      velocity = model->forward(want.at("first.latent"), want.at("first.timestep"), want.at("prompt_embeds"));
    }
    expect_taps(taps, want, file.filename());
    expect_close(velocity, want.at("first.cond"), "first velocity");
    expect_close(model->forward(want.at("first.latent"), want.at("first.timestep"), want.at("negative_prompt_embeds")),
                 want.at("first.uncond"), "first velocity without the prompt");
  }
}

TEST_P(WanPipelineParity, EveryStepOfTextToVideoIsTheReferences) {
  const auto index = read_json(GetParam() / "model_index.json");
  const auto high = load_transformer(GetParam() / "transformer");
  const auto low = index["boundary_ratio"].is_null() ? nullptr : load_transformer(GetParam() / "transformer_2");
  for (const auto& file : golden_files(GetParam())) {
    const Tensors want = golden(file);
    if (want.contains("image")) continue;  // needs the VAE's encoder
    const auto job = nlohmann::json::parse(golden_metadata(file, "job"));
    const auto scheduler = unwrap(make_scheduler(read_json(GetParam() / "scheduler/scheduler_config.json")));
    ASSERT_TRUE(scheduler->set_timesteps(job["steps"]).ok());
    EXPECT_TRUE(at::equal(scheduler->timesteps(), want.at("timesteps")));

    const at::Tensor both = at::cat({want.at("prompt_embeds"), want.at("negative_prompt_embeds")});
    DenseAttention dense;
    at::Tensor x = want.at("noise");
    const auto rope = high->rope(x.size(2), x.size(3), x.size(4));
    const auto text_high = high->text_context(both), text_low = low ? low->text_context(both) : text_high;
    for (int i = 0; i < scheduler->steps(); ++i) {
      const double t = scheduler->timestep(i);
      const bool is_low = low && t < index["boundary_ratio"].get<double>() * 1000;
      const auto& model = is_low ? *low : *high;
      const double guidance = is_low ? job["guidance_2"].get<double>() : job["guidance"].get<double>();
      const auto branches =
          model.forward({x, at::full({1}, t, at::kFloat), is_low ? text_low : text_high, rope, i}, dense).chunk(2);
      const at::Tensor velocity = branches[1] + (branches[0] - branches[1]) * guidance;
      x = scheduler->step(velocity, i, x);
      char name[32];
      std::snprintf(name, sizeof name, "%03d", i);
      expect_close(velocity, want.at(std::string("velocity.") + name), std::string("velocity ") + name);
      expect_close(x, want.at(std::string("latents.") + name), std::string("latents ") + name);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Folders, WanPipelineParity, testing::ValuesIn([] {
                           auto all = golden_folders("wan_21");
                           for (auto& folder : golden_folders("wan_22")) all.push_back(folder);
                           return all;
                         }()),
                         folder_name);

}  // namespace
}  // namespace rubato
