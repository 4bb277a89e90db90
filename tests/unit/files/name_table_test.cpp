#include "engine/files/name_table.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "engine/base/text.h"

namespace rubato {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs pairs_of(const std::string& list) {
  std::ifstream file(std::string(RUBATO_TEST_DATA "/names/") + list + ".txt");
  Pairs pairs;
  for (std::string from, to; file >> from >> to;) pairs.emplace_back(from, to);
  return pairs;
}

std::vector<std::string> column(const Pairs& pairs, bool original) {
  std::vector<std::string> names;
  for (const auto& [from, to] : pairs) names.push_back(original ? from : to);
  return names;
}

struct Row {
  const char* list;
  NameTable (*table)();
  std::size_t count;
};
class NameTableTest : public testing::TestWithParam<Row> {};

TEST_P(NameTableTest, GivesTheNamesOfTheReference) {
  const auto pairs = pairs_of(GetParam().list);
  ASSERT_EQ(pairs.size(), GetParam().count);
  const NameTable table = GetParam().table();
  for (const auto& [from, to] : pairs) EXPECT_EQ(table.apply(from), to) << from;
}

TEST_P(NameTableTest, IsRecognisedByTheNamesItRewrites) {
  const auto pairs = pairs_of(GetParam().list);
  const auto original = column(pairs, true), diffusers = column(pairs, false);
  EXPECT_EQ(detect_name_table(original).id(), GetParam().table().id());
  EXPECT_EQ(detect_name_table(diffusers).id(), "");
}

INSTANTIATE_TEST_SUITE_P(Layouts, NameTableTest,
                         testing::Values(Row{"wan_t2v_transformer", wan_transformer_names, 339},
                                         Row{"wan_i2v_transformer", wan_transformer_names, 87},
                                         Row{"wan_vae21", wan_vae21_names, 194}, Row{"wan_vae22", wan_vae22_names, 196},
                                         Row{"umt5", umt5_names, 112}),
                         [](const auto& row) { return std::string(row.param.list); });

TEST(NameTableRulesTest, SwapTheNormsOfABlock) {
  const NameTable table = wan_transformer_names();
  EXPECT_EQ(table.apply("blocks.7.norm3.weight"), "blocks.7.norm2.weight");
  EXPECT_EQ(table.apply("blocks.7.norm2.weight"), "blocks.7.norm3.weight");
  EXPECT_EQ(table.apply("blocks.7.norm1.weight"), "blocks.7.norm1.weight");
}

TEST(NameTableRulesTest, TakeOffThePrefixOfSingleFileExports) {
  EXPECT_EQ(wan_transformer_names().apply("model.diffusion_model.blocks.3.self_attn.o.bias"),
            "blocks.3.attn1.to_out.0.bias");
  const std::vector<std::string> names{"model.diffusion_model.blocks.0.self_attn.q.weight"};
  EXPECT_EQ(detect_name_table(names).id(), wan_transformer_names().id());
}

TEST(NameTableRulesTest, LeaveOtherNamesAlone) {
  EXPECT_EQ(NameTable().apply("blocks.0.self_attn.q.weight"), "blocks.0.self_attn.q.weight");
  const NameTable table = wan_vae21_names();
  for (const auto* name : {"", ".", "encoder", "encoder.downsamples", "encoder.downsamples.x.residual.0.gamma",
                           "encoder.downsamples.99999999999999999999.shortcut.weight",
                           "encoder.downsamples.-1.shortcut.weight", "decoder.head.2", "something.else"})
    EXPECT_EQ(table.apply(name), name);
}

}  // namespace
}  // namespace rubato
