// tokenizer_config.json and the class's rules, applied to what tokenizer.json or spiece.model said.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>

#include "engine/base/guard.h"
#include "engine/base/json.h"
#include "engine/files/tokenizer_node.h"
#include "engine/files/tokenizer_spec.h"

namespace rubato {
namespace {

using nlohmann::json;
using Node = TokenizerNode;

// The tokenizer.json reader of the reference is off by one unit in the last place for one number in eight. Equally
// probable ways to cut "aaaa" can hang on that, so its rounding is done again here: digits as an integer, then one
// multiplication or division by a power of ten.
double round_as_reference(double value) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, std::fabs(value)).ptr;
  std::uint64_t digits = 0;
  int exponent = 0;
  bool fraction = false;
  const char* at = text;
  for (; at < end && *at != 'e'; ++at) {
    if (*at == '.') {
      fraction = true;
    } else {
      digits = digits * 10 + static_cast<std::uint64_t>(*at - '0');
      exponent -= fraction ? 1 : 0;
    }
  }
  if (at < end) {
    int shift = 0;
    const char* from = at + 1 + (at[1] == '+' ? 1 : 0);
    std::from_chars(from, end, shift);
    exponent += shift;
  }
  if (exponent < -300 || exponent > 300 || std::fabs(value) >= 1e15) return value;
  double result = static_cast<double>(digits);
  if (exponent < 0) result /= std::pow(10.0, -exponent);
  if (exponent > 0) result *= std::pow(10.0, exponent);
  return std::signbit(value) ? -result : result;
}

AddedToken special_token(std::string content) {
  AddedToken token;
  token.content = std::move(content);
  token.normalized = false;
  token.special = true;
  return token;
}

// A token in the configuration is a string or an object with a content.
AddedToken token_or_name(const Node& node) {
  if (node.raw().is_string()) return special_token(node.raw().get<std::string>());
  AddedToken token = read_added_token(node);
  token.id = -1;
  return token;
}

// The special tokens that have a name of their own, in the reference's order. The T5 class has defaults for three.
std::vector<std::pair<std::string_view, AddedToken>> named_tokens(const Node& config, bool t5) {
  static constexpr std::pair<const char*, const char*> kNames[] = {
      {"bos_token", nullptr}, {"eos_token", "</s>"},  {"unk_token", "<unk>"}, {"sep_token", nullptr},
      {"pad_token", "<pad>"}, {"cls_token", nullptr}, {"mask_token", nullptr}};
  std::vector<std::pair<std::string_view, AddedToken>> tokens;
  for (const auto& [name, otherwise] : kNames) {
    if (config.has(name)) {
      tokens.emplace_back(name, token_or_name(config.at(name)));
    } else if (t5 && otherwise != nullptr && !config.raw().contains(name)) {
      tokens.emplace_back(name, special_token(otherwise));
    }
  }
  return tokens;
}

// The configuration's own table of added tokens, by id. The ids only order them: a token's id is that of its piece.
std::map<std::int32_t, AddedToken> token_table(const Node& decoder, const std::string& source) {
  if (!decoder.raw().is_object()) decoder.refuse("must be an object");
  std::map<std::int32_t, AddedToken> table;
  for (const auto& [key, value] : decoder.raw().items()) {
    std::int32_t id = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc{} || end != key.data() + key.size() || id < 0)
      decoder.refuse("has the key '" + key + "', which is not an id");
    AddedToken token = read_added_token(Node(value, "added_tokens_decoder." + key, source));
    token.id = -1;
    table[id] = std::move(token);
  }
  return table;
}

std::string extra_id(std::size_t i) { return fmt::format("<extra_id_{}>", i); }

std::size_t extra_id_count(const Node& config) {
  constexpr std::size_t kDefault = 100, kMost = 10'000;
  const std::size_t count = config.has("extra_ids") ? static_cast<std::size_t>(config.id("extra_ids")) : kDefault;
  if (count > kMost) config.refuse(fmt::format("has {} extra_ids; the limit is {}", count, kMost));
  return count;
}

// The extra special tokens: a list in the configuration, or for the T5 class <extra_id_0> and so on.
std::vector<AddedToken> extra_tokens(const Node& config, const TokenizerSpec& spec, bool t5, bool spiece) {
  std::vector<AddedToken> tokens;
  const char* list = config.has("extra_special_tokens") ? "extra_special_tokens" : "additional_special_tokens";
  if (config.has(list)) {
    if (!config.at(list).raw().is_array()) return tokens;  // a table of further names, which the ids do not depend on
    for (const Node& token : config.items(list)) tokens.push_back(token_or_name(token));
  } else if (t5) {
    if (spiece) tokens = spec.added;
    for (std::size_t i = 0; i < extra_id_count(config); ++i) tokens.push_back(special_token(extra_id(i)));
  }
  return tokens;
}

// The T5 class keeps the vocabulary, the character map and the added tokens; the rest it fixes.
void apply_t5_class(TokenizerSpec& spec, const std::string& source) {
  constexpr std::int32_t kUnknown = 2;
  if (spec.pieces.size() <= static_cast<std::size_t>(kUnknown))
    refuse_tokenizer(source, "the T5 class needs at least three pieces");
  spec.unk_id = kUnknown;
  spec.byte_fallback = false;
  const auto map = std::find_if(spec.normalizer.begin(), spec.normalizer.end(),
                                [](const NormalizerStep& step) { return std::holds_alternative<Charsmap>(step); });
  std::vector<NormalizerStep> kept;
  if (map != spec.normalizer.end()) kept.push_back(std::move(*map));
  spec.normalizer = std::move(kept);
  spec.pre_tokenizer = {WhitespaceSplit{}, Metaspace{}};
  spec.prefix.clear();
  spec.suffix = {{spec.eos, -1}};
}

}  // namespace

Result<> apply_tokenizer_config(TokenizerSpec& spec, std::string_view text, const std::string& source,
                                const TokenizerOrigin& origin) {
  RUBATO_TRY(tree, parse_json(text, source, {}, ErrorCode::ModelUnfit));
  return guard([&]() -> Result<> {
    const Node config(tree, "", source);
    if (!tree.is_object()) config.refuse("is not an object");
    const std::string name = !origin.class_name.empty()      ? origin.class_name
                             : config.has("tokenizer_class") ? config.text("tokenizer_class")
                                                             : "";
    const bool t5 = origin.spiece || name == "T5TokenizerFast" || name == "T5Tokenizer";
    for (const char* side : {"padding_side", "truncation_side"}) {
      if (config.has(side) && config.text(side) != "right")
        config.refuse(fmt::format("has {} '{}'; Rubato knows 'right'", side, config.text(side)));
    }

    const auto named = named_tokens(config, t5);
    for (const auto& [key, token] : named) {
      if (key == "eos_token") spec.eos = token.content;
      if (key == "pad_token") spec.pad = token.content;
    }

    // The added tokens, in the reference's order: the file's (the T5 class builds anew), the table's, the named, the
    // extra ones. The first of equal ones counts.
    std::vector<AddedToken> added;
    std::unordered_set<std::string> seen, names;
    for (const auto& [key, token] : named) names.insert(token.content);
    const auto add = [&](AddedToken token) {
      if (seen.insert(token.content).second) added.push_back(std::move(token));
    };
    if (!t5) std::for_each(spec.added.begin(), spec.added.end(), add);
    std::map<std::int32_t, AddedToken> table;
    if (config.has("added_tokens_decoder")) {
      table = token_table(config.at("added_tokens_decoder"), source);
    } else if (t5 && !origin.spiece) {
      for (const AddedToken& token : spec.added) table.insert_or_assign(token.id, token);
    }
    for (auto& [id, token] : table) {
      token.special = token.special || names.contains(token.content);
      add(std::move(token));
    }
    for (const auto& [key, token] : named) add(token);
    for (AddedToken& token : extra_tokens(config, spec, t5, origin.spiece)) add(std::move(token));
    if (t5 && origin.spiece) {
      for (std::size_t i = extra_id_count(config); i-- > 0;) {
        spec.pieces.push_back(extra_id(i));
        spec.scores.push_back(0.0);
      }
    }
    spec.added = std::move(added);

    if (t5) {
      apply_t5_class(spec, source);
    } else {  // read as it is
      for (double& score : spec.scores) score = round_as_reference(score);
    }
    return {};
  });
}

}  // namespace rubato
