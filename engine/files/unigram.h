// The Unigram model of SentencePiece: the most probable way to cut a text into known pieces.
//
// T. Kudo, "Subword Regularization", 2018. Scores are log probabilities; a character without a piece of its own costs
// the lowest score minus 10, and neighbouring unknown characters become one token. Sums are float64, taken from left
// to right, and the first of two equal paths stays, as in the reference.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rubato {

// A sorted list of byte strings that finds all entries which a text begins with.
class PrefixTable {
 public:
  PrefixTable() = default;
  // Borrows the strings: they must outlive the table. Of equal strings the last one counts. Empty ones are skipped.
  explicit PrefixTable(const std::vector<std::string>& strings);

  // Calls found(length, index) for every entry that `text` begins with, shortest first.
  template <typename Found>
  void prefixes(std::string_view text, Found&& found) const {
    auto [low, high] = text.empty() ? Range{} : by_first_byte(text.front());
    for (std::size_t depth = 0; low < high; ++depth) {
      // All of [low, high) agree with the first `depth + 1` bytes of the text (see narrow()).
      if (const std::string& entry = (*strings_)[order_[low]]; entry.size() == depth + 1) {
        found(entry.size(), static_cast<std::int32_t>(order_[low]));
        ++low;
      }
      if (depth + 1 >= text.size()) return;
      narrow(low, high, depth + 1, text[depth + 1]);
    }
  }
  // Index of an entry, -1 when it is not there.
  std::int32_t find(std::string_view text) const;

 private:
  struct Range {
    std::size_t low = 0, high = 0;
  };
  Range by_first_byte(char byte) const;
  // Keeps of [low, high) what has `byte` at position `depth`.
  void narrow(std::size_t& low, std::size_t& high, std::size_t depth, char byte) const;

  const std::vector<std::string>* strings_ = nullptr;
  std::vector<std::uint32_t> order_;           // indices of the distinct strings, in byte order
  std::array<std::uint32_t, 257> first_ = {};  // where each first byte begins in order_
};

class Unigram {
 public:
  // A token and where it begins in the text that was given to encode().
  struct Token {
    std::int32_t id = 0;
    std::size_t begin = 0;
  };

  // Borrows pieces and scores. unk_id lies inside the vocabulary.
  Unigram(const std::vector<std::string>& pieces, const std::vector<double>& scores, std::int32_t unk_id,
          bool byte_fallback);

  // Appends the tokens of valid UTF-8.
  void encode(std::string_view text, std::vector<Token>& tokens) const;
  // Id of a piece, -1 when it is not there.
  std::int32_t find(std::string_view piece) const { return table_.find(piece); }

 private:
  void append_unknown(std::string_view text, std::size_t begin, std::vector<Token>& tokens) const;

  const std::vector<double>* scores_;
  PrefixTable table_;
  double unknown_score_ = 0;
  std::int32_t unk_id_ = 0;
  bool byte_fallback_ = false;
  std::array<std::int32_t, 256> byte_ids_ = {};  // of "<0x00>" … "<0xFF>"; -1 = missing
};

}  // namespace rubato
