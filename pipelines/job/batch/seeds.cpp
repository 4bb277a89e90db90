#include "pipelines/job/batch/seeds.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "engine/base/text.h"

namespace rubato {
namespace {

constexpr const char* kForms = "must be seeds like 1..8, or a list of them like [1, 2, 40]";

Error refuse(std::string message) { return Error{ErrorCode::JobInvalid, std::move(message)}; }

std::optional<std::uint64_t> seed_from(std::string_view text) {
  text = trim(text);
  std::uint64_t seed = 0;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (text.empty() || fault != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return seed;
}

}  // namespace

Result<SeedList> SeedList::read(const nlohmann::json& value) {
  SeedList list;
  if (value.is_array()) {
    for (const auto& item : value) RUBATO_OK(list.add(item));
  } else {
    RUBATO_OK(list.add(value));
  }
  if (list.ranges_.empty()) return refuse(fmt::format("is empty; it {}", kForms));
  RUBATO_OK(list.check_unique());
  return list;
}

std::vector<std::uint64_t> SeedList::expand() const {
  std::vector<std::uint64_t> seeds;
  for (const auto& [first, last] : ranges_)
    for (std::uint64_t offset = 0; offset <= last - first; ++offset) seeds.push_back(first + offset);
  return seeds;
}

Result<> SeedList::add(const nlohmann::json& item) {
  if (item.is_string()) {
    for (const auto& part : split(item.get<std::string>(), ',')) RUBATO_OK(add_text(part));
    return {};
  }
  if (!item.is_number_unsigned()) return refuse(fmt::format("{}, whole numbers from 0 on", kForms));
  return add_text(std::to_string(item.get<std::uint64_t>()));
}

Result<> SeedList::add_text(std::string_view text) {
  const auto dots = text.find("..");
  const auto first = seed_from(text.substr(0, dots));
  const auto last = dots == std::string_view::npos ? first : seed_from(text.substr(dots + 2));
  if (!first || !last) return refuse(fmt::format("has '{}'; it {}", std::string(clip_utf8(trim(text), 60)), kForms));
  if (*last < *first)
    return refuse(fmt::format("has {}..{}, which runs backwards; write {}..{}", *first, *last, *last, *first));
  ranges_.push_back({*first, *last});
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t more = *last - *first;  // one less than they are: the whole range does not fit
  count_ = more >= kMost - count_ ? kMost : count_ + more + 1;
  return {};
}

Result<> SeedList::check_unique() const {
  auto sorted = ranges_;
  std::sort(sorted.begin(), sorted.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
  for (std::size_t i = 1; i < sorted.size(); ++i)
    if (sorted[i].first <= sorted[i - 1].last) return refuse(fmt::format("has {} twice", sorted[i].first));
  return {};
}

}  // namespace rubato
