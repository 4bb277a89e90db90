// The text side of a tokenizer: normaliser steps and pre-tokenizer steps, with every byte's origin kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/files/tokenizer_spec.h"

namespace rubato {

// A piece of text on its way through a tokenizer. source[i] is the offset in the prompt of what became bytes[i].
struct TracedText {
  std::string bytes;
  std::vector<std::uint32_t> source;
  std::size_t source_begin = 0;  // where the piece as a whole begins: 0 until it is first cut out of another

  static TracedText of(std::string_view text);
  void append(std::string_view text, std::uint32_t from);
  // A part as a piece of its own.
  TracedText cut(std::size_t begin, std::size_t end) const;
};

TracedText normalize(TracedText text, std::span<const NormalizerStep> steps);

// Cuts a normalised piece into the words that the model sees; no word is empty.
std::vector<TracedText> pre_tokenize(TracedText text, std::span<const PreTokenizerStep> steps);

// Character classes as the reference's regular expressions have them; text is valid UTF-8.
std::size_t leading_spaces(std::string_view text);   // bytes of white space at the front
std::size_t trailing_spaces(std::string_view text);  // … at the end
bool starts_with_word(std::string_view text);        // \w at the front
bool ends_with_word(std::string_view text);          // … at the end

}  // namespace rubato
