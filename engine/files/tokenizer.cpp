#include "engine/files/tokenizer.h"

#include <fmt/format.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/files.h"
#include "engine/base/text.h"
#include "engine/files/tokenizer_normalize.h"
#include "engine/files/tokenizer_spec.h"
#include "engine/files/unigram.h"

namespace rubato {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMetaSpace = "\xE2\x96\x81";

std::string valid_utf8(std::string_view text) {
  if (is_valid_utf8(text)) return std::string(text);
  std::string repaired;
  icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int>(text.size()))).toUTF8String(repaired);
  return repaired;
}

}  // namespace

// Finds added tokens in text: the leftmost, and of those the longest.
class TokenFinder {
 public:
  // Contents as they are searched for; ids and tokens run parallel. Not movable: the table borrows the strings.
  TokenFinder(std::vector<std::string> contents, std::vector<const AddedToken*> tokens, std::vector<std::int32_t> ids)
      : contents_(std::move(contents)), tokens_(std::move(tokens)), ids_(std::move(ids)), table_(contents_) {}
  TokenFinder(const TokenFinder&) = delete;
  TokenFinder& operator=(const TokenFinder&) = delete;

  // Calls text_part(begin, end) and token(id, begin) from left to right; the parts cover the text but for the
  // tokens and the spaces that they take with them.
  template <typename TextPart, typename Token>
  void split(std::string_view text, TextPart&& text_part, Token&& token) const {
    std::size_t done = 0;
    for (std::size_t at = 0; at < text.size();) {
      std::int32_t found = -1;
      std::size_t length = 0;
      if (!contents_.empty()) {
        table_.prefixes(text.substr(at), [&](std::size_t size, std::int32_t index) {
          found = index;
          length = size;
        });
      }
      if (found < 0) {
        ++at;
        continue;
      }
      const AddedToken& rule = *tokens_[static_cast<std::size_t>(found)];
      std::size_t begin = at, end = at + length;
      at = end;
      if (rule.single_word && (ends_with_word(text.substr(0, begin)) || starts_with_word(text.substr(end)))) continue;
      if (rule.lstrip) begin -= trailing_spaces(text.substr(0, begin));
      if (rule.rstrip) end += leading_spaces(text.substr(end));
      begin = std::max(begin, done);
      end = std::max(end, begin);
      if (done < begin) text_part(done, begin);
      token(ids_[static_cast<std::size_t>(found)], begin);
      done = end;
    }
    if (done < text.size()) text_part(done, text.size());
  }

 private:
  std::vector<std::string> contents_;
  std::vector<const AddedToken*> tokens_;
  std::vector<std::int32_t> ids_;
  PrefixTable table_;
};

struct Tokenizer::Impl {
  explicit Impl(TokenizerSpec from)
      : spec(std::move(from)), model(spec.pieces, spec.scores, spec.unk_id, spec.byte_fallback) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<> resolve_added_tokens();
  void make_finders();
  // Id of an added token or a piece, -1 when there is none.
  std::int32_t find(const std::string& content) const {
    const auto added = added_ids.find(content);
    return added != added_ids.end() ? added->second : model.find(content);
  }
  std::vector<Unigram::Token> tokens_of(std::string_view text) const;

  TokenizerSpec spec;  // never changed after build(): the model and the finders borrow from it
  Unigram model;
  std::unordered_map<std::string, std::int32_t> added_ids;
  std::unordered_map<std::int32_t, const AddedToken*> added_by_id;
  std::unique_ptr<const TokenFinder> raw, normalized;  // tokens found before and after normalisation
  std::vector<std::int32_t> prefix, suffix;
  std::int32_t eos = -1, pad = -1;
  std::size_t size = 0;
};

// An added token is the piece of that name if there is one, else the next id after the vocabulary, in file order.
Result<> Tokenizer::Impl::resolve_added_tokens() {
  size = spec.pieces.size();
  for (const AddedToken& token : spec.added) {
    if (token.content.empty() || added_ids.contains(token.content)) continue;
    std::int32_t id = model.find(token.content);
    if (id < 0) id = static_cast<std::int32_t>(size++);
    if (token.id >= 0 && token.id != id) {
      return Error{ErrorCode::ModelUnfit,
                   fmt::format("{}: the added token '{}' has id {}, but the vocabulary gives it {}", spec.source,
                               clip_utf8(token.content, 80), token.id, id)};
    }
    added_ids.emplace(token.content, id);
    added_by_id.emplace(id, &token);
  }
  for (auto [tokens, ids] : {std::pair{&spec.prefix, &prefix}, {&spec.suffix, &suffix}}) {
    for (const TemplateToken& token : *tokens) {
      ids->push_back(token.id >= 0 ? token.id : find(token.content));
      if (ids->back() < 0 || static_cast<std::size_t>(ids->back()) >= size) {
        return Error{ErrorCode::ModelUnfit, fmt::format("{}: the template's token '{}' is not in the vocabulary",
                                                        spec.source, clip_utf8(token.content, 80))};
      }
    }
  }
  eos = find(spec.eos);
  pad = find(spec.pad);
  return {};
}

void Tokenizer::Impl::make_finders() {
  const auto make = [&](bool want_normalized) {
    std::vector<std::string> contents;
    std::vector<const AddedToken*> tokens;
    std::vector<std::int32_t> ids;
    // Of tokens that normalise to the same text the first counts, special ones before others; the table takes the
    // last of equal entries, so they go in backwards.
    for (const bool special : {false, true}) {
      for (auto token = spec.added.rbegin(); token != spec.added.rend(); ++token) {
        const auto id = added_ids.find(token->content);
        if (token->special != special || token->normalized != want_normalized || id == added_ids.end()) continue;
        if (added_by_id.at(id->second) != &*token) continue;  // a repetition
        contents.push_back(want_normalized ? normalize(TracedText::of(token->content), spec.normalizer).bytes
                                           : token->content);
        tokens.push_back(&*token);
        ids.push_back(id->second);
      }
    }
    return std::make_unique<const TokenFinder>(std::move(contents), std::move(tokens), std::move(ids));
  };
  raw = make(false);
  normalized = make(true);
}

std::vector<Unigram::Token> Tokenizer::Impl::tokens_of(std::string_view text) const {
  std::vector<Unigram::Token> tokens;
  const TracedText whole = TracedText::of(text);
  const auto encode_piece = [&](TracedText piece) {
    for (const TracedText& word : pre_tokenize(std::move(piece), spec.pre_tokenizer)) {
      const std::size_t first = tokens.size();
      model.encode(word.bytes, tokens);
      for (std::size_t i = first; i < tokens.size(); ++i) tokens[i].begin = word.source[tokens[i].begin];
    }
  };
  raw->split(
      whole.bytes,
      [&](std::size_t begin, std::size_t end) {
        const TracedText piece = normalize(whole.cut(begin, end), spec.normalizer);
        normalized->split(
            piece.bytes, [&](std::size_t from, std::size_t to) { encode_piece(piece.cut(from, to)); },
            [&](std::int32_t id, std::size_t at) { tokens.push_back({id, piece.source[at]}); });
      },
      [&](std::int32_t id, std::size_t at) { tokens.push_back({id, at}); });
  return tokens;
}

Tokenizer::Tokenizer(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::~Tokenizer() = default;

Result<std::shared_ptr<const Tokenizer>> Tokenizer::build(TokenizerSpec spec) {
  auto impl = std::make_unique<Impl>(std::move(spec));
  RUBATO_OK(impl->resolve_added_tokens());
  impl->make_finders();
  return std::shared_ptr<const Tokenizer>(new Tokenizer(std::move(impl)));
}

Result<std::shared_ptr<const Tokenizer>> Tokenizer::from_json(std::string_view text, const std::string& source) {
  RUBATO_TRY(spec, read_tokenizer_json(text, source));
  RUBATO_OK(apply_tokenizer_config(spec, "{}", source, {}));
  return build(std::move(spec));
}

Result<std::shared_ptr<const Tokenizer>> Tokenizer::load(const fs::path& path, const std::string& class_name) {
  constexpr std::uint64_t kMaxConfigBytes = 16u << 20;
  std::error_code ignored;
  const bool folder = fs::is_directory(path, ignored);
  const auto there = [&](const fs::path& file) { return fs::is_regular_file(file, ignored); };
  fs::path file = path;
  if (folder) {
    file = path / "tokenizer.json";
    if (!there(file)) file = path / "spiece.model";
    if (!there(file)) {
      return Error{ErrorCode::ModelMissing,
                   fmt::format("{} has neither tokenizer.json nor spiece.model", path.string())};
    }
  } else if (!there(path)) {
    return Error{ErrorCode::ModelMissing, fmt::format("there is no tokenizer at {}", path.string())};
  }
  RUBATO_TRY(bytes, read_file(file, TokenizerSpec::kMaxFileBytes));

  // By name, or where that says nothing by content: a tokenizer.json is a JSON object.
  const std::string_view start = trim(std::string_view(bytes).substr(0, 64));
  const bool spiece = file.extension() != ".json" && !start.starts_with('{');
  auto spec = spiece ? read_spiece_model(bytes, file.string()) : read_tokenizer_json(bytes, file.string());
  if (!spec.ok()) return spec.error();

  const fs::path config = folder ? path / "tokenizer_config.json" : fs::path();
  if (folder && there(config)) {
    RUBATO_TRY(text, read_file(config, kMaxConfigBytes));
    RUBATO_OK(apply_tokenizer_config(*spec, text, config.string(), {spiece, class_name}));
  } else {
    RUBATO_OK(apply_tokenizer_config(*spec, "{}", file.string(), {spiece, class_name}));
  }
  return build(std::move(*spec));
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text) const {
  std::vector<std::int32_t> ids = impl_->prefix;
  for (const auto& token : impl_->tokens_of(valid_utf8(text))) ids.push_back(token.id);
  ids.insert(ids.end(), impl_->suffix.begin(), impl_->suffix.end());
  return ids;
}

Encoded Tokenizer::encode_padded(std::string_view text, std::size_t max_length) const {
  const std::string valid = valid_utf8(text);
  const auto tokens = impl_->tokens_of(valid);
  const std::size_t around = impl_->prefix.size() + impl_->suffix.size();
  const std::size_t kept = std::min(tokens.size(), max_length - std::min(around, max_length));
  Encoded out;
  out.ids = impl_->prefix;
  for (std::size_t i = 0; i < kept; ++i) out.ids.push_back(tokens[i].id);
  out.ids.insert(out.ids.end(), impl_->suffix.begin(), impl_->suffix.end());
  if (out.ids.size() > max_length) out.ids.resize(max_length);
  out.mask.assign(out.ids.size(), 1);
  out.ids.resize(max_length, impl_->pad >= 0 ? impl_->pad : 0);
  out.mask.resize(max_length, 0);
  if (kept < tokens.size()) out.cut_text = trim(std::string_view(valid).substr(tokens[kept].begin));
  return out;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids) const {
  std::string text;
  bool first = true;
  for (const std::int32_t id : ids) {
    const auto added = impl_->added_by_id.find(id);
    if (added != impl_->added_by_id.end() && added->second->special) continue;
    for (std::string_view rest = piece(id); !rest.empty();) {
      if (rest.starts_with(kMetaSpace)) {
        if (!first) text += ' ';
        rest.remove_prefix(kMetaSpace.size());
      } else {
        text += rest.front();
        rest.remove_prefix(1);
      }
      first = false;
    }
  }
  return text;
}

std::string_view Tokenizer::piece(std::int32_t id) const {
  if (const auto added = impl_->added_by_id.find(id); added != impl_->added_by_id.end()) return added->second->content;
  return id >= 0 && static_cast<std::size_t>(id) < impl_->spec.pieces.size()
             ? impl_->spec.pieces[static_cast<std::size_t>(id)]
             : std::string_view();
}

std::int32_t Tokenizer::pad_id() const { return impl_->pad; }
std::int32_t Tokenizer::eos_id() const { return impl_->eos; }
std::int32_t Tokenizer::unk_id() const { return impl_->spec.unk_id; }
std::size_t Tokenizer::vocab_size() const { return impl_->size; }

}  // namespace rubato
