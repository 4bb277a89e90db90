// TokenizerSpec: a tokenizer as plain data, whichever file it came from. Readers fill it, Tokenizer runs it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/error.h"

namespace rubato {

// ---- normaliser steps, in the order in which they run -------------------------------------------------------------

// SentencePiece's precompiled character map: a double-array trie over UTF-8 bytes whose values are offsets into
// `targets`, a pool of NUL-terminated replacements.
struct Charsmap {
  std::vector<std::uint32_t> units;
  std::string targets;
};
struct StripSpaces {
  bool left = false, right = false;
};
// Replaces every run of at least `min_count` matches of `what` ("" = any white space), or, with `runs` false,
// every occurrence of the literal `what`, by `content`.
struct ReplaceText {
  std::string what, content;
  std::size_t min_count = 1;
  bool runs = false;
};
struct PrependText {
  std::string text;
};
enum class UnicodeForm { Nfc, Nfd, Nfkc, Nfkd };
struct NmtControls {};  // drops control characters, maps exotic spaces and line breaks to a space
using NormalizerStep = std::variant<Charsmap, StripSpaces, ReplaceText, PrependText, UnicodeForm, NmtControls>;

// ---- pre-tokenizer steps -------------------------------------------------------------------------------------------

struct WhitespaceSplit {};
struct Metaspace {
  enum class Prepend { Always, First, Never };
  std::string replacement = "\xE2\x96\x81";  // U+2581
  Prepend prepend = Prepend::Always;
  bool split = true;
};
using PreTokenizerStep = std::variant<WhitespaceSplit, Metaspace>;

// ---- the rest ------------------------------------------------------------------------------------------------------

// A string that is cut out of the text before the model sees it.
struct AddedToken {
  std::string content;
  std::int32_t id = -1;  // what the file says; -1 = the piece of that name, else the next free id
  bool single_word = false, lstrip = false, rstrip = false, normalized = true, special = false;
};

struct TemplateToken {
  std::string content;
  std::int32_t id = -1;  // -1 = looked up by content
};

struct TokenizerSpec {
  static constexpr std::uint64_t kMaxFileBytes = 64u << 20;
  static constexpr std::size_t kMaxPieces = 1u << 20;
  static constexpr std::size_t kMaxPieceBytes = 1u << 10;
  static constexpr std::size_t kMaxAddedTokens = 1u << 16;

  std::string source;  // the file's name, for messages
  std::vector<std::string> pieces;
  std::vector<double> scores;
  std::int32_t unk_id = 0;
  bool byte_fallback = false;
  std::vector<NormalizerStep> normalizer;
  std::vector<PreTokenizerStep> pre_tokenizer;
  std::vector<AddedToken> added;              // in the order in which they were added
  std::vector<TemplateToken> prefix, suffix;  // around every text
  std::string eos = "</s>", pad = "<pad>";
};

// Readers. ModelUnfit with every problem named.
Result<TokenizerSpec> read_tokenizer_json(std::string_view json, const std::string& source);
Result<TokenizerSpec> read_spiece_model(std::string_view bytes, const std::string& source);
// Parses a charsmap blob (u32 trie bytes, trie, targets).
Result<Charsmap> parse_charsmap(std::string_view blob, const std::string& source);

// What tokenizer_config.json decides: the class's rules, the names of the special tokens, more added tokens. To be
// called for every spec; "{}" stands for a missing file. A class_name given by the pipeline goes before the file's.
struct TokenizerOrigin {
  bool spiece = false;
  std::string class_name = {};
};
Result<> apply_tokenizer_config(TokenizerSpec& spec, std::string_view json, const std::string& source,
                                const TokenizerOrigin& origin);

}  // namespace rubato
