// tokenizer.json and tokenizer_config.json -> TokenizerSpec.
//
// Every part that decides ids is either read or refused by name; parts that cannot change the ids of one text
// (decoder, truncation and padding defaults, the template for pairs) are passed over.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "engine/base/guard.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/files/tokenizer_spec.h"

namespace rubato {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& source, const std::string& why) {
  throw ErrorException({ErrorCode::ModelUnfit, source + ": " + why});
}

// One JSON object with its place, so that every message can say where it is.
class Node {
 public:
  Node(const json& value, std::string where, const std::string& source)
      : value_(value), where_(std::move(where)), source_(source) {}

  const json& raw() const { return value_; }
  [[noreturn]] void refuse(const std::string& why) const {
    rubato::refuse(source_, where_.empty() ? why : where_ + " " + why);
  }

  bool has(const char* key) const { return value_.is_object() && value_.contains(key) && !value_[key].is_null(); }
  Node at(const char* key) const {
    if (!has(key)) refuse(fmt::format("has no '{}'", key));
    return {value_[key], path(key), source_};
  }
  std::vector<Node> items(const char* key) const {
    const Node list = at(key);
    if (!list.value_.is_array()) list.refuse("must be a list");
    std::vector<Node> nodes;
    for (std::size_t i = 0; i < list.value_.size(); ++i)
      nodes.emplace_back(list.value_[i], fmt::format("{}[{}]", list.where_, i), source_);
    return nodes;
  }
  std::string text(const char* key) const {
    const Node node = at(key);
    if (!node.value_.is_string()) node.refuse("must be a string");
    return node.value_.get<std::string>();
  }
  std::string type() const { return has("type") ? text("type") : ""; }
  bool flag(const char* key, bool otherwise) const {
    if (!has(key)) return otherwise;
    const Node node = at(key);
    if (!node.value_.is_boolean()) node.refuse("must be true or false");
    return node.value_.get<bool>();
  }
  std::int32_t id(const char* key) const {
    const Node node = at(key);
    return node.as_id();
  }
  std::int32_t as_id() const {
    if (!value_.is_number_integer() || value_ < 0 || value_ > std::numeric_limits<std::int32_t>::max())
      refuse("must be an id, a whole number that is not negative");
    return value_.get<std::int32_t>();
  }
  [[noreturn]] void refuse_type(std::string_view what, std::string_view known) const {
    refuse(fmt::format("is a {} of type '{}', which Rubato does not know; it knows {}", what, type(), known));
  }

 private:
  std::string path(const char* key) const { return where_.empty() ? key : where_ + "." + key; }
  const json& value_;
  std::string where_;
  const std::string& source_;
};

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
    if ((count += 6) >= 8) {
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

AddedToken read_added_token(const Node& node) {
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

// ---- tokenizer_config.json -----------------------------------------------------------------------------------------

AddedToken special_token(std::string content) {
  AddedToken token;
  token.content = std::move(content);
  token.normalized = false;
  token.special = true;
  return token;
}

bool contains(const std::vector<AddedToken>& tokens, const std::string& content) {
  return std::any_of(tokens.begin(), tokens.end(), [&](const AddedToken& t) { return t.content == content; });
}

// A token in the configuration is a string or an object with a content.
AddedToken token_or_name(const Node& node) {
  if (node.raw().is_string()) return special_token(node.raw().get<std::string>());
  AddedToken token = read_added_token(node);
  token.id = -1;
  return token;
}

std::optional<AddedToken> named_token(const Node& config, const char* key, const char* otherwise) {
  if (config.raw().is_object() && config.raw().contains(key) && config.raw()[key].is_null()) return std::nullopt;
  if (config.has(key)) return token_or_name(config.at(key));
  return otherwise == nullptr ? std::nullopt : std::optional(special_token(otherwise));
}

std::string extra_id(std::size_t i) { return fmt::format("<extra_id_{}>", i); }

// The T5 class keeps the vocabulary, the character map and the added tokens; the rest it fixes.
void apply_t5_class(TokenizerSpec& spec, const std::string& source) {
  constexpr std::int32_t kUnknown = 2;
  if (spec.pieces.size() <= static_cast<std::size_t>(kUnknown))
    refuse(source, "the T5 class needs at least three pieces");
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
    if (!tree.is_object()) root.refuse("is not a tokenizer.json: its top is not an object");
    TokenizerSpec spec;
    spec.source = source;
    read_model(root.at("model"), spec);
    if (root.has("normalizer")) read_normalizer(root.at("normalizer"), source, spec.normalizer);
    if (root.has("pre_tokenizer")) read_pre_tokenizer(root.at("pre_tokenizer"), spec.pre_tokenizer);
    if (root.has("post_processor")) read_post_processor(root.at("post_processor"), spec);
    if (root.has("added_tokens"))
      for (const Node& token : root.items("added_tokens")) spec.added.push_back(read_added_token(token));
    return spec;
  });
}

Result<> apply_tokenizer_config(TokenizerSpec& spec, std::string_view text, const std::string& source,
                                const TokenizerOrigin& origin) {
  RUBATO_TRY(tree, parse_json(text, source, {}, ErrorCode::ModelUnfit));
  return guard([&]() -> Result<> {
    const Node config(tree, "", source);
    if (!tree.is_object()) config.refuse("is not an object");
    const bool from_spiece = origin.spiece;
    const std::string name = !origin.class_name.empty()      ? origin.class_name
                             : config.has("tokenizer_class") ? config.text("tokenizer_class")
                                                             : "";
    const bool t5 = from_spiece || name == "T5TokenizerFast" || name == "T5Tokenizer";
    for (const char* side : {"padding_side", "truncation_side"})
      if (config.has(side) && config.text(side) != "right")
        config.refuse(fmt::format("has {} '{}'; Rubato knows 'right'", side, config.text(side)));

    std::vector<AddedToken> named;
    for (const auto& [key, otherwise] : {std::pair{"bos_token", static_cast<const char*>(nullptr)},
                                         {"eos_token", "</s>"},
                                         {"unk_token", "<unk>"},
                                         {"pad_token", "<pad>"},
                                         {"sep_token", nullptr},
                                         {"cls_token", nullptr},
                                         {"mask_token", nullptr}}) {
      const auto token = named_token(config, key, t5 ? otherwise : nullptr);
      if (!token) continue;
      if (key == std::string_view("eos_token")) spec.eos = token->content;
      if (key == std::string_view("pad_token")) spec.pad = token->content;
      named.push_back(*token);
    }

    // Added tokens: the configuration's own table or else the file's, then the named ones, then the extra ones.
    std::vector<AddedToken> added = t5 ? std::vector<AddedToken>{} : spec.added;
    std::vector<AddedToken> table;
    if (config.has("added_tokens_decoder")) {
      const Node decoder = config.at("added_tokens_decoder");
      if (!decoder.raw().is_object()) decoder.refuse("must be an object");
      std::map<std::int32_t, AddedToken> by_id;
      for (const auto& [key, value] : decoder.raw().items()) {
        std::int32_t id = -1;
        const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
        if (error != std::errc{} || end != key.data() + key.size() || id < 0)
          decoder.refuse("has the key '" + key + "', which is not an id");
        by_id[id] = read_added_token(Node(value, "added_tokens_decoder." + key, source));
        by_id[id].id = -1;  // found by content, as the reference does
      }
      for (auto& [id, token] : by_id) table.push_back(std::move(token));
    } else if (t5 && !from_spiece) {
      table = spec.added;
      std::stable_sort(table.begin(), table.end(),
                       [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
    }
    for (auto& token : table) {
      if (contains(named, token.content)) token.special = true;
      if (!contains(added, token.content)) added.push_back(std::move(token));
    }
    for (auto& token : named)
      if (!contains(added, token.content)) added.push_back(token);

    std::vector<AddedToken> extra;
    const char* list = config.has("extra_special_tokens") ? "extra_special_tokens" : "additional_special_tokens";
    if (config.has(list) && config.at(list).raw().is_array()) {
      for (const Node& token : config.items(list)) extra.push_back(token_or_name(token));
    }
    if (t5) {
      const std::size_t count = config.has("extra_ids") ? static_cast<std::size_t>(config.id("extra_ids")) : 100;
      if (count > 10'000) config.refuse("has more than 10,000 extra_ids");
      if (from_spiece) {
        for (std::size_t i = count; i-- > 0;) {
          spec.pieces.push_back(extra_id(i));
          spec.scores.push_back(0.0);
        }
      }
      if (!config.has(list)) {
        if (from_spiece) extra = spec.added;
        for (std::size_t i = 0; i < count; ++i) extra.push_back(special_token(extra_id(i)));
      }
    }
    for (auto& token : extra)
      if (!contains(added, token.content)) added.push_back(std::move(token));
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
