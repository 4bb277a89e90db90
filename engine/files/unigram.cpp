#include "engine/files/unigram.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "engine/base/check.h"

namespace rubato {
namespace {

unsigned char byte_of(char c) { return static_cast<unsigned char>(c); }

std::size_t utf8_length(char lead) {
  const unsigned char c = byte_of(lead);
  return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

}  // namespace

PrefixTable::PrefixTable(const std::vector<std::string>& strings) : strings_(&strings) {
  RUBATO_CHECK(strings.size() < std::numeric_limits<std::uint32_t>::max());
  order_.resize(strings.size());
  std::iota(order_.begin(), order_.end(), 0u);
  std::erase_if(order_, [&](std::uint32_t i) { return strings[i].empty(); });
  std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
    const int order = strings[a].compare(strings[b]);
    return order != 0 ? order < 0 : a > b;  // of equal ones the last comes first, and unique() keeps it
  });
  order_.erase(std::unique(order_.begin(), order_.end(),
                           [&](std::uint32_t a, std::uint32_t b) { return strings[a] == strings[b]; }),
               order_.end());
  for (const std::uint32_t i : order_) ++first_[byte_of(strings[i].front()) + 1u];
  std::partial_sum(first_.begin(), first_.end(), first_.begin());
}

PrefixTable::Range PrefixTable::by_first_byte(char byte) const {
  return {first_[byte_of(byte)], first_[byte_of(byte) + 1u]};
}

void PrefixTable::narrow(std::size_t& low, std::size_t& high, std::size_t depth, char byte) const {
  const auto at = [&](std::uint32_t i) { return byte_of((*strings_)[i][depth]); };
  const auto begin = order_.begin();
  const auto first = begin + static_cast<std::ptrdiff_t>(low), last = begin + static_cast<std::ptrdiff_t>(high);
  const auto from = std::partition_point(first, last, [&](std::uint32_t i) { return at(i) < byte_of(byte); });
  const auto to = std::partition_point(from, last, [&](std::uint32_t i) { return at(i) <= byte_of(byte); });
  low = static_cast<std::size_t>(from - begin);
  high = static_cast<std::size_t>(to - begin);
}

std::int32_t PrefixTable::find(std::string_view text) const {
  std::int32_t result = -1;
  prefixes(text, [&](std::size_t length, std::int32_t index) {
    if (length == text.size()) result = index;
  });
  return result;
}

Unigram::Unigram(const std::vector<std::string>& pieces, const std::vector<double>& scores, std::int32_t unk_id,
                 bool byte_fallback)
    : scores_(&scores), table_(pieces), unk_id_(unk_id), byte_fallback_(byte_fallback) {
  constexpr double kUnknownPenalty = 10.0;
  RUBATO_CHECK(!pieces.empty() && pieces.size() == scores.size());
  RUBATO_CHECK(unk_id >= 0 && static_cast<std::size_t>(unk_id) < pieces.size());
  unknown_score_ = *std::min_element(scores.begin(), scores.end()) - kUnknownPenalty;
  for (unsigned byte = 0; byte < 256; ++byte) byte_ids_[byte] = table_.find(fmt::format("<0x{:02X}>", byte));
}

void Unigram::encode(std::string_view text, std::vector<Token>& tokens) const {
  // The best path to every byte position; positions inside a character are never reached.
  constexpr std::size_t kUnreached = std::numeric_limits<std::size_t>::max();
  struct Node {
    double score = 0;
    std::size_t begin = kUnreached;
    std::int32_t id = 0;
  };
  std::vector<Node> best(text.size() + 1);
  const auto offer = [&](std::size_t begin, std::size_t end, std::int32_t id, double score) {
    Node& node = best[end];
    if (node.begin == kUnreached || score > node.score) node = {score, begin, id};
  };
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t one = std::min(utf8_length(text[begin]), text.size() - begin);
    const double so_far = best[begin].score;
    bool single = false;
    table_.prefixes(text.substr(begin), [&](std::size_t length, std::int32_t id) {
      offer(begin, begin + length, id, so_far + (*scores_)[static_cast<std::size_t>(id)]);
      single = single || length == one;
    });
    if (!single) offer(begin, begin + one, unk_id_, so_far + unknown_score_);
    begin += one;
  }

  // Back along the best path; neighbouring unknowns become one.
  const std::size_t first = tokens.size();
  for (std::size_t end = text.size(); end > 0;) {
    std::size_t begin = best[end].begin;
    if (best[end].id != unk_id_) {
      tokens.push_back({best[end].id, begin});
    } else {
      while (begin > 0 && best[begin].id == unk_id_) begin = best[begin].begin;
      append_unknown(text.substr(begin, end - begin), begin, tokens);
    }
    end = begin;
  }
  std::reverse(tokens.begin() + static_cast<std::ptrdiff_t>(first), tokens.end());
}

// Appends in reverse order, as the path is walked backwards.
void Unigram::append_unknown(std::string_view text, std::size_t begin, std::vector<Token>& tokens) const {
  if (const std::int32_t id = table_.find(text); id >= 0) {  // "<unk>" itself stands in the text
    tokens.push_back({id, begin});
    return;
  }
  const auto known = [&](char c) { return byte_ids_[byte_of(c)] >= 0; };
  if (byte_fallback_ && std::all_of(text.begin(), text.end(), known)) {
    for (auto c = text.rbegin(); c != text.rend(); ++c) tokens.push_back({byte_ids_[byte_of(*c)], begin});
  } else {
    tokens.push_back({unk_id_, begin});
  }
}

}  // namespace rubato
