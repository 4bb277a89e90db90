// Tokenizer: prompt text -> token ids, exactly as the reference framework's fast tokenizers give them.
//
// Reads Unigram tokenizers (T5, UMT5) from `tokenizer.json` or, where that is missing, `spiece.model`. A part of a
// tokenizer.json that this reader does not know gives an error that names it; ids are never silently wrong.
//
// A folder is read by the rules of a tokenizer class, as in the reference: the one that the pipeline's model_index.json
// names, else the one in tokenizer_config.json. The class T5Tokenizer(Fast) takes the vocabulary, the added tokens and
// the character map from the file and fixes the rest (split at white space, a meta space before every word, </s> at the
// end, no byte fallback). With another class or none, or when the path is a file, the file alone decides.
//
// Files are untrusted: at most 64 MiB, 1 Mi pieces, 1 KiB a piece. A loaded Tokenizer never changes and may be used
// from many threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"

namespace rubato {

// One prompt, made to an exact number of tokens.
struct Encoded {
  std::vector<std::int32_t> ids;   // max_length ids: the text's, </s>, then padding
  std::vector<std::int32_t> mask;  // 1 for the text's tokens and </s>, 0 for padding
  std::string cut_text;            // the end of the text that did not fit; "" if all of it did
};

struct TokenizerSpec;  // what the files say (tokenizer_spec.h)

class Tokenizer {
 public:
  // A tokenizer folder (with tokenizer.json or spiece.model), or one such file. ModelMissing when neither is there,
  // ModelUnfit for a damaged or unsupported one. class_name: what model_index.json says of this component, if known.
  static Result<std::shared_ptr<const Tokenizer>> load(const std::filesystem::path& folder_or_file,
                                                       const std::string& class_name = {});
  // The text of a tokenizer.json; `source` names it in messages.
  static Result<std::shared_ptr<const Tokenizer>> from_json(std::string_view json, const std::string& source);
  ~Tokenizer();

  // Ids with the closing </s> (as the file's template says), without padding or truncation. Invalid UTF-8 is read
  // with U+FFFD in place of each damaged byte sequence.
  std::vector<std::int32_t> encode(std::string_view text) const;

  // As the reference's padding="max_length", truncation=True: a text that is too long loses its end, and </s> stays.
  Encoded encode_padded(std::string_view text, std::size_t max_length) const;

  // The text of the ids; special tokens and ids outside the vocabulary are left out.
  std::string decode(std::span<const std::int32_t> ids) const;
  // The piece of one id, "" when there is none.
  std::string_view piece(std::int32_t id) const;

  std::int32_t pad_id() const;
  std::int32_t eos_id() const;
  std::int32_t unk_id() const;
  // Number of ids: pieces and added tokens. An embedding table may have more rows.
  std::size_t vocab_size() const;

 private:
  struct Impl;
  explicit Tokenizer(std::unique_ptr<const Impl> impl);
  static Result<std::shared_ptr<const Tokenizer>> build(TokenizerSpec spec);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace rubato
