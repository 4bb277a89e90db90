// Any bytes as tokenizer.json, then a hard text through what came out. The same bytes also go to the prompt cleaning,
// which must take any text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/files/prompt_cleaning.h"
#include "engine/files/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  constexpr std::string_view kText = "a \xEF\xBC\xA1 e\xCC\x81  \r\n</s>x<x> word\xE2\x96\x81 \xF0\x9F\x98\x80 aaaa\xFF";
  if (const auto tokenizer = rubato::Tokenizer::from_json(bytes, "fuzz"); tokenizer.ok()) {
    const auto encoded = (*tokenizer)->encode_padded(kText, 16);
    if (encoded.ids.size() != 16 || encoded.mask.size() != 16) std::abort();
    const auto ids = (*tokenizer)->encode(bytes.substr(0, 512));
    for (const auto id : ids)
      if (id < 0 || static_cast<std::size_t>(id) >= (*tokenizer)->vocab_size()) std::abort();
    (void)(*tokenizer)->decode(ids);
  }
  (void)rubato::clean_prompt(bytes.substr(0, 512));
  return 0;
}
