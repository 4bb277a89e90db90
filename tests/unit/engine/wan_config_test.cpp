// Configurations that Rubato cannot honour are refused, and every reason is named.
#include "engine/models/wan/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/models/umt5/encoder.h"
#include "engine/models/wan/rope.h"
#include "engine/sampling/scheduler.h"

namespace rubato {
namespace {

using testing::HasSubstr;

nlohmann::json published() {
  return {{"_class_name", "WanTransformer3DModel"},
          {"_diffusers_version", "0.33.0.dev0"},
          {"added_kv_proj_dim", nullptr},
          {"attention_head_dim", 128},
          {"cross_attn_norm", true},
          {"eps", 1e-06},
          {"ffn_dim", 8960},
          {"freq_dim", 256},
          {"image_dim", nullptr},
          {"in_channels", 16},
          {"num_attention_heads", 12},
          {"num_layers", 30},
          {"out_channels", 16},
          {"patch_size", {1, 2, 2}},
          {"qk_norm", "rms_norm_across_heads"},
          {"rope_max_seq_len", 1024},
          {"text_dim", 4096}};
}

template <typename T>
std::string message_of(const Result<T>& result) {
  return result.ok() ? "no error" : result.error().message;
}

TEST(WanConfig, ReadsThePublishedFile) {
  const auto config = wan::Config::from_json(published());
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config.value().width(), 1536);
  EXPECT_EQ(config.value().ffn_width, 8960);
  EXPECT_EQ(config.value().layers, 30);
}

TEST(WanConfig, AbsentKeysHaveTheReferencesDefaults) {
  const auto config = wan::Config::from_json({{"_class_name", "WanTransformer3DModel"}, {"in_channels", 36}});
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config.value().width(), 5120);
  EXPECT_EQ(config.value().out_channels, 16);
  auto json = published();
  json["in_channels"] = 7;
  json["out_channels"] = nullptr;
  EXPECT_EQ(wan::Config::from_json(json).value().out_channels, 7);
}

TEST(WanConfig, NamesEveryProblemAtOnce) {
  auto json = published();
  json["num_layer"] = 30;
  json["attention_head_dim"] = 63;
  json["qk_norm"] = "layer_norm";
  json["image_dim"] = 1280;
  json["ffn_dim"] = "wide";
  json["patch_size"] = {2, 2};
  json["num_attention_heads"] = -3;
  const std::string message = message_of(wan::Config::from_json(json, "here/config.json"));
  for (const char* part :
       {"here/config.json", "unknown key 'num_layer'; did you mean 'num_layers'?", "attention_head_dim must be even",
        "qk_norm \"layer_norm\" is not supported", "image_dim 1280 is not supported", "ffn_dim is \"wide\"",
        "patch_size must have three numbers", "num_attention_heads is -3"}) {
    EXPECT_THAT(message, HasSubstr(part));
  }
}

TEST(WanConfig, NamesTheNearestLatentSize) {
  const wan::Config config = wan::Config::from_json(published()).value();
  EXPECT_TRUE(config.check_latent(21, 60, 104).ok());
  EXPECT_THAT(message_of(config.check_latent(21, 61, 104)), HasSubstr("rows are a multiple of 2"));
  EXPECT_THAT(message_of(config.check_latent(21, 61, 104)), HasSubstr("nearest is 62"));
  EXPECT_THAT(message_of(config.check_latent(2000, 60, 104)), HasSubstr("nearest is 1024"));
  EXPECT_THAT(message_of(config.check_latent(0, 60, 104)), HasSubstr("nearest is 1"));
}

TEST(WanRope, TurnsFramesRowsAndColumnsByTheirOwnFrequencies) {
  wan::Config config;
  config.head_width = 128;  // 44 values for frames, 42 each for rows and columns
  const auto table = wan::rope_table(config, 3, 4, 6, at::kCPU);
  ASSERT_EQ(table.cos.sizes(), (std::vector<std::int64_t>{3 * 2 * 3, 64}));
  const std::int64_t token = (2 * 2 + 1) * 3 + 2;  // frame 2, row 1, column 2
  const auto angle = [](double position, int pair, int values) {
    return position * std::pow(10000.0, -2.0 * pair / values);
  };
  EXPECT_NEAR(table.cos[token][5].item<double>(), std::cos(angle(2, 5, 44)), 1e-7);
  EXPECT_NEAR(table.sin[token][22 + 3].item<double>(), std::sin(angle(1, 3, 42)), 1e-7);
  EXPECT_NEAR(table.sin[token][43 + 20].item<double>(), std::sin(angle(2, 20, 42)), 1e-7);
  EXPECT_NEAR(table.sin[token][43].item<double>(), std::sin(2.0), 1e-7);
}

TEST(Umt5Config, ReadsBothStylesOfFileAndRefusesOtherModels) {
  const nlohmann::json older{
      {"model_type", "umt5"}, {"torch_dtype", "bfloat16"},    {"d_model", 4096}, {"num_layers", 24}, {"num_heads", 64},
      {"d_ff", 10240},        {"num_decoder_layers", nullptr}};
  const auto config = umt5::Config::from_json(older);
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config.value().width, 4096);
  EXPECT_TRUE(config.value().gated);
  EXPECT_EQ(config.value().activation, umt5::Activation::GeluTanh);
  auto written_out = older;
  written_out["dense_act_fn"] = "relu";
  written_out["is_gated_act"] = false;
  EXPECT_EQ(umt5::Config::from_json(written_out).value().activation, umt5::Activation::Relu);
  EXPECT_FALSE(umt5::Config::from_json(written_out).value().gated);
  auto newer = older;
  newer.erase("torch_dtype");
  newer["dtype"] = "bfloat16";
  EXPECT_TRUE(umt5::Config::from_json(newer).ok());
  newer["model_type"] = "t5";
  newer["feed_forward_proj"] = "gated-mish";
  EXPECT_THAT(message_of(umt5::Config::from_json(newer)), HasSubstr("model_type"));
  EXPECT_THAT(message_of(umt5::Config::from_json(newer)), HasSubstr("feed_forward_proj"));
}

TEST(SchedulerConfig, RefusesWhatItCannotDoByName) {
  const nlohmann::json unipc{
      {"_class_name", "UniPCMultistepScheduler"}, {"use_flow_sigmas", true}, {"prediction_type", "flow_prediction"}};
  EXPECT_TRUE(make_scheduler(unipc).ok());
  for (const auto& [key, value] : std::map<std::string, nlohmann::json>{{"thresholding", true},
                                                                        {"predict_x0", false},
                                                                        {"use_karras_sigmas", true},
                                                                        {"solver_order", 7},
                                                                        {"solver_type", "bh3"},
                                                                        {"prediction_type", "epsilon"},
                                                                        {"use_flow_sigmas", false},
                                                                        {"flow_shift", -1},
                                                                        {"flow_shfit", 3}}) {
    auto json = unipc;
    json[key] = value;
    EXPECT_THAT(message_of(make_scheduler(json)), HasSubstr(key));
  }
  for (const auto& [key, value] : std::map<std::string, nlohmann::json>{
           {"use_beta_sigmas", true}, {"stochastic_sampling", true}, {"time_shift_type", "cubic"}, {"shift", 0}}) {
    EXPECT_THAT(message_of(make_scheduler({{"_class_name", "FlowMatchEulerDiscreteScheduler"}, {key, value}})),
                HasSubstr(key));
  }
  EXPECT_THAT(message_of(make_scheduler({{"_class_name", "DDIMScheduler"}})), HasSubstr("DDIMScheduler"));
  EXPECT_THAT(message_of(make_scheduler(nlohmann::json::array())), HasSubstr("_class_name"));
}

TEST(Scheduler, NeedsAShiftWhereItDependsOnTheResolution) {
  const auto scheduler = std::move(
      make_scheduler({{"_class_name", "FlowMatchEulerDiscreteScheduler"}, {"use_dynamic_shifting", true}}).value());
  EXPECT_THAT(message_of(scheduler->set_timesteps(4)), HasSubstr("use_dynamic_shifting"));
  EXPECT_TRUE(scheduler->set_timesteps(4, 0.8).ok());
  EXPECT_THAT(message_of(scheduler->set_timesteps(0, 0.8)), HasSubstr("number of steps"));
}

TEST(Scheduler, KeepsTheOddStartsOfTheReferences) {
  const auto euler =
      std::move(make_scheduler({{"_class_name", "FlowMatchEulerDiscreteScheduler"}, {"shift", 3.0}}).value());
  ASSERT_TRUE(euler->set_timesteps(4).ok());
  const std::vector<double> want{1, .857692, .602151, .008929, 0};  // SD3: the shift applies twice at the end point
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(euler->sigmas()[i], want[i], 1e-6);

  const auto unipc = std::move(make_scheduler({{"_class_name", "UniPCMultistepScheduler"},
                                               {"use_flow_sigmas", true},
                                               {"prediction_type", "flow_prediction"},
                                               {"flow_shift", 3.0}})
                                   .value());
  ASSERT_TRUE(unipc->set_timesteps(4).ok());
  EXPECT_NEAR(unipc->sigmas()[0], 0.999999, 1e-7);
  EXPECT_EQ(unipc->timestep(0), 999);
  EXPECT_EQ(unipc->timesteps().scalar_type(), at::kLong);
}

TEST(Scheduler, ASavedStateThatDoesNotFitIsRefused) {
  const auto unipc = std::move(make_scheduler({{"_class_name", "UniPCMultistepScheduler"},
                                               {"use_flow_sigmas", true},
                                               {"prediction_type", "flow_prediction"}})
                                   .value());
  ASSERT_TRUE(unipc->set_timesteps(4).ok());
  at::Tensor x = at::randn({1, 2});
  for (int i = 0; i < 2; ++i) x = unipc->step(at::randn({1, 2}), i, x);
  const auto state = unipc->save();
  auto without = state;
  without.tensors.erase("last_sample");
  EXPECT_FALSE(unipc->restore(without).ok());
  auto further = state;
  further.values["next"] = 5;
  EXPECT_FALSE(unipc->restore(further).ok());
  EXPECT_FALSE(unipc->restore({}).ok());
  EXPECT_TRUE(unipc->restore(state).ok());
}

}  // namespace
}  // namespace rubato
