// The text step of Wan pipelines: prompt -> embeddings that the transformer takes.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>

#include "engine/files/tokenizer.h"
#include "engine/models/umt5/encoder.h"

namespace rubato {

struct PromptEmbedding {
  at::Tensor ids;        // [1, max_length] int64, padded
  at::Tensor embeds;     // [1, max_length, D], zeros past the prompt; dtype and device of the encoder
  std::string cut_text;  // the end of the prompt that did not fit, "" if all of it did
};

// Cleans the prompt (clean_prompt), tokenizes it to max_length ids and encodes it. JobInvalid when max_length is not
// positive; ModelUnfit when the tokenizer gives ids that the encoder has no embedding for.
//
// The reference encodes the padding too, masked, and then puts zeros in its place. Padding that nobody sees changes
// nothing, so only the prompt's own tokens go through the encoder here.
Result<PromptEmbedding> encode_wan_prompt(const umt5::Encoder& encoder, const Tokenizer& tokenizer,
                                          std::string_view prompt, int max_length);

}  // namespace rubato
