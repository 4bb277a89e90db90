// Loading a module tree: what fits is filled, what does not is named all at once.
#include "engine/nn/module.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "engine/nn/layers.h"
#include "engine/nn/tap.h"

namespace rubato::nn {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Leaf : Module {
  Leaf() : proj(3, 2), norm(2, 1e-6) {}
  void declare(Declaration& d) override {
    d.child("proj", proj);
    d.child("norm", norm);
  }
  void loaded() override { ++times_loaded; }
  Linear proj;
  LayerNorm norm;
  int times_loaded = 0;
};

struct Tree : Module {
  Tree() : leaves(2), qkv({"to_q", "to_k"}, 3, 4) {}
  void declare(Declaration& d) override {
    d.parameter("table", table, {1, 2}, Precision::Full);
    d.alias({"shared.weight", "encoder.embed.weight"}, embedding, {5, 3});
    d.children("leaves", leaves);
    d.inlined(qkv);
  }
  at::Tensor table, embedding;
  std::vector<Leaf> leaves;
  StackedLinear qkv;
};

std::map<std::string, at::Tensor> weights() {
  std::map<std::string, at::Tensor> all{{"table", at::randn({1, 2})},       {"shared.weight", at::randn({5, 3})},
                                        {"to_q.weight", at::randn({4, 3})}, {"to_k.weight", at::randn({4, 3})},
                                        {"to_q.bias", at::randn({4})},      {"to_k.bias", at::randn({4})}};
  for (const std::string leaf : {"leaves.0.", "leaves.1."}) {
    all[leaf + "proj.weight"] = at::randn({2, 3});
    all[leaf + "proj.bias"] = at::randn({2});
    all[leaf + "norm.weight"] = at::randn({2});
    all[leaf + "norm.bias"] = at::randn({2});
  }
  return all;
}

std::string error_of(std::map<std::string, at::Tensor> all, LoadOptions options = {}) {
  Tree tree;
  const auto result = tree.load(StateDict::of(std::move(all)), options);
  EXPECT_FALSE(result.ok());
  if (result.ok()) return "";
  EXPECT_EQ(result.error().code, ErrorCode::ModelUnfit);
  return result.error().message;
}

TEST(Module, FillsEveryParameterUnderItsCheckpointName) {
  auto all = weights();
  Tree tree;
  ASSERT_TRUE(tree.load(StateDict::of(all), {}).ok());
  EXPECT_TRUE(at::equal(tree.table, all["table"]));
  EXPECT_TRUE(at::equal(tree.leaves[1].proj.weight, all["leaves.1.proj.weight"]));
  EXPECT_TRUE(at::equal(tree.qkv.weight, at::cat({all["to_q.weight"], all["to_k.weight"]})));
  EXPECT_TRUE(at::equal(tree.qkv.bias, at::cat({all["to_q.bias"], all["to_k.bias"]})));
  EXPECT_EQ(tree.leaves[0].times_loaded, 1);
  EXPECT_EQ(tree.parameter_bytes(), 4u * (2 + 15 + 24 + 8 + 2 * (6 + 2 + 2 + 2)));
}

TEST(Module, ConvertsToTheComputeTypeButKeepsFullPrecisionWhereAsked) {
  auto all = weights();
  for (auto& [name, tensor] : all) tensor = tensor.to(at::kHalf);
  Tree tree;
  ASSERT_TRUE(tree.load(StateDict::of(all), {at::kCPU, at::kBFloat16, {}}).ok());
  EXPECT_EQ(tree.qkv.weight.scalar_type(), at::kBFloat16);
  EXPECT_EQ(tree.table.scalar_type(), at::kFloat);
  EXPECT_EQ(tree.leaves[0].norm.weight.scalar_type(), at::kFloat);
}

TEST(Module, TakesATiedTensorUnderEitherName) {
  auto all = weights();
  auto node = all.extract("shared.weight");
  node.key() = "encoder.embed.weight";
  all.insert(std::move(node));
  Tree tree;
  ASSERT_TRUE(tree.load(StateDict::of(all), {}).ok());
  EXPECT_TRUE(at::equal(tree.embedding, all["encoder.embed.weight"]));
  all["shared.weight"] = at::randn({5, 3});  // both: the first is used, the other is no surprise
  ASSERT_TRUE(tree.load(StateDict::of(all), {}).ok());
  EXPECT_TRUE(at::equal(tree.embedding, all["shared.weight"]));
}

TEST(Module, NamesEverythingMissingMisshapenAndUnknownAtOnce) {
  auto all = weights();
  all.erase("leaves.0.norm.bias");
  all.erase("shared.weight");
  all["to_k.weight"] = at::randn({4, 7});
  all["table"] = at::zeros({1, 2}, at::kInt);
  all["lora.up"] = at::randn({1});
  all["zebra"] = at::randn({1});
  const std::string message = error_of(all);
  EXPECT_THAT(message, HasSubstr("leaves.0.norm.bias"));
  EXPECT_THAT(message, HasSubstr("shared.weight"));
  EXPECT_THAT(message, HasSubstr("to_k.weight is [4,7], not [4,3]"));
  EXPECT_THAT(message, HasSubstr("table holds Int"));
  EXPECT_THAT(message, HasSubstr("lora.up"));
  EXPECT_THAT(message, HasSubstr("zebra"));
  EXPECT_THAT(message, Not(HasSubstr("to_q.weight")));
}

TEST(Module, IgnoresOnlyTheExtrasThatAreListed) {
  auto all = weights();
  all["decoder.block.0.weight"] = at::randn({1});
  Tree tree;
  EXPECT_TRUE(tree.load(StateDict::of(all), {at::kCPU, at::kFloat, {"decoder."}}).ok());
  all["zebra"] = at::randn({1});
  const std::string message = error_of(all, {at::kCPU, at::kFloat, {"decoder."}});
  EXPECT_THAT(message, HasSubstr("zebra"));
  EXPECT_THAT(message, Not(HasSubstr("decoder.block")));
}

TEST(Module, AWrongCheckpointDoesNotFillTheScreen) {
  auto all = weights();
  for (int i = 0; i < 1000; ++i) all["other." + std::to_string(i)] = at::zeros({1});
  const std::string message = error_of(all);
  EXPECT_THAT(message, HasSubstr("and 990 more"));
  EXPECT_LT(message.size(), 1000u);
}

TEST(StateDict, SubSeesOnlyItsPrefix) {
  const auto dict = StateDict::of(weights()).sub("leaves.").sub("1.");
  EXPECT_EQ(dict.names(), (std::vector<std::string>{"norm.bias", "norm.weight", "proj.bias", "proj.weight"}));
  EXPECT_TRUE(dict.has("proj.bias"));
  EXPECT_FALSE(dict.has("table"));
  EXPECT_EQ(dict.shape("proj.weight"), (std::vector<std::int64_t>{2, 3}));
}

TEST(StateDict, TensorsGoToAFileAndBackUnchanged) {
  const auto file = std::filesystem::temp_directory_path() / ("rubato_state_dict_" + std::to_string(getpid()));
  std::map<std::string, at::Tensor> all = weights();
  all["half"] = at::randn({3, 5}).to(at::kHalf).t();
  all["brain"] = at::randn({2}).to(at::kBFloat16);
  all["long"] = at::arange(7);
  all["bool"] = at::ones({3}, at::kBool);
  all["eight"] = at::randn({4}).to(at::kFloat8_e4m3fn);
  all["scalar"] = at::scalar_tensor(2.5);
  all["none"] = at::empty({0, 4});
  ASSERT_TRUE(write_tensors(file, all, {{"about", "this"}}, Overwrite::Never).ok());
  EXPECT_FALSE(write_tensors(file, all, {}, Overwrite::Never).ok());
  const auto back = read_tensors(file);
  ASSERT_TRUE(back.ok()) << back.error().message;
  ASSERT_EQ(back.value().size(), all.size());
  for (const auto& [name, tensor] : all) {
    const at::Tensor& got = back.value().at(name);
    EXPECT_EQ(got.scalar_type(), tensor.scalar_type()) << name;
    EXPECT_EQ(got.sizes(), tensor.sizes()) << name;
    EXPECT_TRUE(at::equal(got.to(at::kDouble), tensor.to(at::kDouble))) << name;
  }
  std::filesystem::remove(file);
}

TEST(StateDict, AMappedTensorOutlivesTheDictAndTheFile) {
  const auto file = std::filesystem::temp_directory_path() / ("rubato_mapped_" + std::to_string(getpid()));
  const at::Tensor want = at::randn({64, 64});
  ASSERT_TRUE(write_tensors(file, {{"x", want}}, {}, Overwrite::Always).ok());
  at::Tensor got;
  {
    const auto dict = StateDict::open(file);
    ASSERT_TRUE(dict.ok()) << dict.error().message;
    got = dict.value().get("x");
    dict.value().forget("x");  // only a hint: the bytes come back from the file
  }
  std::filesystem::remove(file);
  EXPECT_TRUE(at::equal(got, want));
}

TEST(Tap, RecordsOnlyWhileARecorderLives) {
  std::map<std::string, at::Tensor> seen, inner;
  tap("before", at::ones({1}));
  {
    const TapRecorder recorder(seen);
    tap("blocks", 3, "attn1", at::ones({2}, at::kHalf));
    {
      const TapRecorder nested(inner);
      tap("x", at::ones({1}));
    }
    tap("blocks", 3, "", at::ones({3}));
  }
  tap("after", at::ones({1}));
  EXPECT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen.at("blocks.3.attn1").scalar_type(), at::kFloat);
  EXPECT_EQ(seen.at("blocks.3").numel(), 3);
  EXPECT_EQ(inner.size(), 1u);
}

}  // namespace
}  // namespace rubato::nn
