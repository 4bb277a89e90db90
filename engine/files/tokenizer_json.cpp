// tokenizer.json -> TokenizerSpec.
//
// Every part that decides ids is either read or refused by name; parts that cannot change the ids of one text
// (decoder, truncation and padding defaults, the template for pairs) are passed over.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/base/guard.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/files/tokenizer_node.h"
#include "engine/files/tokenizer_spec.h"

namespace rubato {
namespace {

using nlohmann::json;
using Node = TokenizerNode;

// ---- the sections of tokenizer.json --------------------------------------------------------------------------------

std::string decode_base64(std::string_view text, const Node& at) {
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  int count = 0;
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  for (const char c : text) {
    std::uint32_t digit = 0;
    if (c >= 'A' && c <= 'Z')
      digit = static_cast<std::uint32_t>(c - 'A');
    else if (c >= 'a' && c <= 'z')
      digit = static_cast<std::uint32_t>(c - 'a' + 26);
    else if (c >= '0' && c <= '9')
      digit = static_cast<std::uint32_t>(c - '0' + 52);
    else if (c == '+')
      digit = 62;
    else if (c == '/')
      digit = 63;
    else
      at.refuse("has a precompiled_charsmap that is not base64");
    bits = bits << 6 | digit;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>(bits >> count & 0xFFu);
    }
  }
  return bytes;
}

// The few regular expressions that tokenizer files of this kind use: one character or \s, once or as a run.
std::optional<ReplaceText> parse_regex(std::string_view regex) {
  ReplaceText rule;
  if (regex.starts_with("\\s")) {
    regex.remove_prefix(2);
  } else {
    const bool escaped = regex.starts_with('\\');
    if (escaped) regex.remove_prefix(1);
    if (regex.empty() || (escaped && std::isalnum(static_cast<unsigned char>(regex.front())))) return std::nullopt;
    if (!escaped && std::string_view(".^$*+?()[]{}|").find(regex.front()) != std::string_view::npos)
      return std::nullopt;
    const auto lead = static_cast<unsigned char>(regex.front());
    const std::size_t size = std::min<std::size_t>(lead < 0x80   ? 1
                                                   : lead < 0xE0 ? 2
                                                   : lead < 0xF0 ? 3
                                                                 : 4,
                                                   regex.size());
    rule.what = regex.substr(0, size);
    regex.remove_prefix(size);
  }
  if (regex.empty()) return rule;
  rule.runs = true;
  if (regex == "+") return rule;
  if (!regex.starts_with('{') || !regex.ends_with(",}")) return std::nullopt;
  const std::string_view digits = regex.substr(1, regex.size() - 3);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), rule.min_count);
  if (error != std::errc{} || end != digits.data() + digits.size() || rule.min_count == 0) return std::nullopt;
  return rule;
}

void read_normalizer(const Node& node, const std::string& source, std::vector<NormalizerStep>& steps) {
  const std::string type = node.type();
  if (type == "Sequence") {
    for (const Node& step : node.items("normalizers")) read_normalizer(step, source, steps);
  } else if (type == "Precompiled") {
    if (!node.has("precompiled_charsmap")) return;
    auto map = parse_charsmap(decode_base64(node.text("precompiled_charsmap"), node), source);
    if (!map.ok()) throw ErrorException(map.error());
    steps.emplace_back(std::move(*map));
  } else if (type == "Strip") {
    steps.emplace_back(StripSpaces{node.flag("strip_left", true), node.flag("strip_right", true)});
  } else if (type == "Replace") {
    const Node pattern = node.at("pattern");
    std::optional<ReplaceText> rule;
    if (pattern.has("String")) {
      if (pattern.text("String").empty()) pattern.refuse("is an empty string");
      rule = ReplaceText{pattern.text("String"), "", 1, false};
    } else {
      rule = parse_regex(pattern.text("Regex"));
      if (!rule) {
        pattern.refuse(fmt::format(
            "is the regular expression '{}'; Rubato knows one character or \\s, followed by nothing, + or {{n,}}",
            clip_utf8(pattern.text("Regex"), 80)));
      }
    }
    rule->content = node.text("content");
    if (rule->content.size() > TokenizerSpec::kMaxPieceBytes) node.refuse("has a very long content");
    steps.emplace_back(std::move(*rule));
  } else if (type == "Prepend") {
    if (node.text("prepend").size() > TokenizerSpec::kMaxPieceBytes) node.refuse("has a very long text");
    steps.emplace_back(PrependText{node.text("prepend")});
  } else if (type == "Nmt") {
    steps.emplace_back(NmtControls{});
  } else {
    static const std::map<std::string, UnicodeForm> forms = {
        {"NFC", UnicodeForm::Nfc}, {"NFD", UnicodeForm::Nfd}, {"NFKC", UnicodeForm::Nfkc}, {"NFKD", UnicodeForm::Nfkd}};
    const auto form = forms.find(type);
    if (form == forms.end())
      node.refuse_type("normalizer", "Precompiled, Strip, Replace, Prepend, Nmt, NFC, NFD, NFKC, NFKD and Sequence");
    steps.emplace_back(form->second);
  }
  if (steps.size() > 32) node.refuse("has more than 32 steps");
}

Metaspace read_metaspace(const Node& node) {
  Metaspace rule;
  if (node.has("replacement")) rule.replacement = node.text("replacement");
  if (rule.replacement.empty() || rule.replacement.size() > 4)
    node.refuse("has a replacement that is not one character");
  if (node.has("prepend_scheme")) {
    const std::string scheme = node.text("prepend_scheme");
    if (scheme == "first")
      rule.prepend = Metaspace::Prepend::First;
    else if (scheme == "never")
      rule.prepend = Metaspace::Prepend::Never;
    else if (scheme != "always")
      node.refuse("has the prepend_scheme '" + scheme + "'; it may be always, first or never");
  }
  if (!node.flag("add_prefix_space", true)) {  // the older spelling
    if (rule.prepend == Metaspace::Prepend::First)
      node.refuse("has add_prefix_space off, which contradicts its prepend_scheme");
    rule.prepend = Metaspace::Prepend::Never;
  }
  rule.split = node.flag("split", true);
  return rule;
}

void read_pre_tokenizer(const Node& node, std::vector<PreTokenizerStep>& steps) {
  const std::string type = node.type();
  if (type == "Sequence") {
    for (const Node& step : node.items("pretokenizers")) read_pre_tokenizer(step, steps);
  } else if (type == "WhitespaceSplit") {
    steps.emplace_back(WhitespaceSplit{});
  } else if (type == "Metaspace") {
    steps.emplace_back(read_metaspace(node));
  } else {
    node.refuse_type("pre_tokenizer", "WhitespaceSplit, Metaspace and Sequence");
  }
  if (steps.size() > 32) node.refuse("has more than 32 steps");
}

// The template for one text: special tokens, the text once, special tokens.
void read_post_processor(const Node& node, TokenizerSpec& spec) {
  if (node.type() == "Sequence") {
    for (const Node& step : node.items("processors")) read_post_processor(step, spec);
    return;
  }
  if (node.type() != "TemplateProcessing") node.refuse_type("post_processor", "TemplateProcessing");
  if (!spec.prefix.empty() || !spec.suffix.empty()) node.refuse("is a second template");
  bool seen_text = false;
  for (const Node& part : node.items("single")) {
    if (part.has("Sequence")) {
      if (seen_text || part.at("Sequence").text("id") != "A") part.refuse("must be the text A, once");
      seen_text = true;
      continue;
    }
    const std::string name = part.at("SpecialToken").text("id");
    const Node token = node.at("special_tokens").at(name.c_str());
    for (const Node& id : token.items("ids")) (seen_text ? spec.suffix : spec.prefix).push_back({name, id.as_id()});
    if (spec.prefix.size() + spec.suffix.size() > 16) part.refuse("makes the template longer than 16 tokens");
  }
  if (!seen_text) node.refuse("has a template without the text A");
}

void read_model(const Node& model, TokenizerSpec& spec) {
  const std::string type = model.type();
  if (!type.empty() && type != "Unigram") {
    model.refuse(fmt::format("is a {} tokenizer; text encoders of this kind need Unigram", clip_utf8(type, 40)));
  }
  const Node vocab = model.at("vocab");
  if (!vocab.raw().is_array()) vocab.refuse("must be a list of [piece, score] pairs, as Unigram has it");
  const std::size_t count = vocab.raw().size();
  if (count == 0) vocab.refuse("is empty");
  if (count > TokenizerSpec::kMaxPieces)
    vocab.refuse(fmt::format("has {} pieces; the limit is {}", count, TokenizerSpec::kMaxPieces));
  spec.pieces.reserve(count);
  spec.scores.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const json& pair = vocab.raw()[i];
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_number())
      vocab.refuse(fmt::format("[{}] is not a pair of a piece and its score", i));
    const auto& piece = pair[0].get_ref<const std::string&>();
    if (piece.size() > TokenizerSpec::kMaxPieceBytes)
      vocab.refuse(fmt::format("[{}] is longer than {} bytes", i, TokenizerSpec::kMaxPieceBytes));
    const double score = pair[1].get<double>();
    if (!std::isfinite(score)) vocab.refuse(fmt::format("[{}] has a score that is not finite", i));
    spec.pieces.push_back(piece);
    spec.scores.push_back(score);
  }
  spec.unk_id = model.id("unk_id");
  if (static_cast<std::size_t>(spec.unk_id) >= count)
    model.refuse(fmt::format("has unk_id {}, but only {} pieces", spec.unk_id, count));
  spec.byte_fallback = model.flag("byte_fallback", false);
}

}  // namespace

AddedToken read_added_token(const TokenizerNode& node) {
  AddedToken token;
  token.content = node.text("content");
  if (token.content.size() > TokenizerSpec::kMaxPieceBytes) node.refuse("is very long");
  if (node.has("id")) token.id = node.id("id");
  token.single_word = node.flag("single_word", false);
  token.lstrip = node.flag("lstrip", false);
  token.rstrip = node.flag("rstrip", false);
  token.special = node.flag("special", false);
  token.normalized = node.flag("normalized", !token.special);
  return token;
}

Result<Charsmap> parse_charsmap(std::string_view blob, const std::string& source) {
  const auto bad = [&](const std::string& why) {
    return Error{ErrorCode::ModelUnfit, source + ": the precompiled character map " + why};
  };
  if (blob.empty()) return Charsmap{};
  const auto word = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(blob[at + i]);
    return value;
  };
  if (blob.size() < 4) return bad("is too short");
  const std::size_t trie = word(0);
  if (trie % 4 != 0 || trie > blob.size() - 4) return bad("is cut short");
  Charsmap map;
  map.units.resize(trie / 4);
  for (std::size_t i = 0; i < map.units.size(); ++i) map.units[i] = word(4 + 4 * i);
  map.targets = blob.substr(4 + trie);
  if (!is_valid_utf8(map.targets)) return bad("has replacements that are not UTF-8");
  return map;
}

Result<TokenizerSpec> read_tokenizer_json(std::string_view text, const std::string& source) {
  JsonLimits limits;
  limits.max_bytes = TokenizerSpec::kMaxFileBytes;
  limits.max_string = 16u << 20;  // the precompiled character map stands in one string
  RUBATO_TRY(tree, parse_json(text, source, limits, ErrorCode::ModelUnfit));
  return guard([&]() -> Result<TokenizerSpec> {
    const Node root(tree, "", source);
    if (!tree.is_object())
      root.refuse(fmt::format("holds {} (JSON), but a tokenizer.json is an object with a 'model'", tree.type_name()));
    TokenizerSpec spec;
    spec.source = source;
    read_model(root.at("model"), spec);
    if (root.has("normalizer")) read_normalizer(root.at("normalizer"), source, spec.normalizer);
    if (root.has("pre_tokenizer")) read_pre_tokenizer(root.at("pre_tokenizer"), spec.pre_tokenizer);
    if (root.has("post_processor")) read_post_processor(root.at("post_processor"), spec);
    if (root.has("added_tokens"))
      for (const Node& token : root.items("added_tokens")) spec.added.push_back(read_added_token(token));
    if (spec.added.size() > TokenizerSpec::kMaxAddedTokens) root.at("added_tokens").refuse("has too many tokens");
    return spec;
  });
}

}  // namespace rubato
