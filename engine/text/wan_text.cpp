#include "engine/text/wan_text.h"

#include <torch/types.h>

#include <numeric>

#include "engine/files/prompt_cleaning.h"

namespace rubato {

Result<PromptEmbedding> encode_wan_prompt(const umt5::Encoder& encoder, const Tokenizer& tokenizer,
                                          std::string_view prompt, int max_length) {
  constexpr int kMost = 1 << 16;
  if (max_length < 1 || max_length > kMost) {
    return Error{ErrorCode::JobInvalid, "max_sequence_length must be from 1 to " + std::to_string(kMost) + ", not " +
                                            std::to_string(max_length) + "."};
  }
  const at::InferenceMode inference;
  const Encoded encoded = tokenizer.encode_padded(clean_prompt(prompt), static_cast<std::size_t>(max_length));
  const at::Tensor ids = at::tensor(encoded.ids, at::kInt).to(at::kLong).unsqueeze(0);  // [1, max_length]
  if (ids.max().item<std::int64_t>() >= encoder.config().vocab_size || ids.min().item<std::int64_t>() < 0) {
    return Error{ErrorCode::ModelUnfit, "the tokenizer and the text encoder do not belong together: token " +
                                            std::to_string(ids.max().item<std::int64_t>()) +
                                            " of an embedding table with " +
                                            std::to_string(encoder.config().vocab_size) + " rows."};
  }
  const std::int64_t length = std::accumulate(encoded.mask.begin(), encoded.mask.end(), std::int64_t{0});
  const at::Tensor states = encoder.forward(ids.slice(1, 0, length).to(encoder.device()));  // [1, length, D]
  const at::Tensor embeds = at::constant_pad_nd(states, {0, 0, 0, max_length - length});
  return PromptEmbedding{ids, embeds, encoded.cut_text};
}

}  // namespace rubato
