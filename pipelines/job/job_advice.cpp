#include "pipelines/job/job_advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "engine/base/text.h"

namespace rubato {
namespace {

constexpr std::size_t kKept = 1000;       // words, sizes and lengths of a model that are remembered
constexpr std::size_t kShown = 8;         // in a sentence
constexpr std::size_t kLongestWord = 40;  // bytes shown

bool in_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 128;
}

std::string lower(std::string_view text) {
  std::string low(text);
  std::ranges::transform(low, low.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return low;
}

bool contains(const auto& list, const auto& value) { return std::ranges::find(list, value) != list.end(); }

void remember(auto& list, const auto& value) {
  if (list.size() < kKept && !contains(list, value)) list.push_back(value);
}

// "'BIG' (write 'big')"
std::string with_hint(const std::string& word, const std::vector<std::string>& known) {
  const auto shown = fmt::format("'{}'", printable(clip_utf8(word, kLongestWord), Lines::Escape));
  const auto low = lower(word);
  return contains(known, low) ? fmt::format("{} (write '{}')", shown, low) : shown;
}

std::string all_of(const auto& values) {
  std::vector<std::string> texts;
  for (const auto& value : values) texts.push_back(fmt::format("{}", value));
  return list_names(texts, kShown);
}

}  // namespace

std::vector<std::string> unknown_words(std::string_view prompt, const ModelCard& card) {
  std::vector<std::string> unknown;
  if (card.words.empty()) return unknown;
  for (std::size_t at = 0; at < prompt.size();) {
    auto end = at;
    while (end < prompt.size() && in_word(prompt[end])) ++end;
    const std::string word(prompt.substr(at, end - at));
    if (!word.empty() && !contains(card.words, word)) remember(unknown, word);
    at = end + 1;
  }
  return unknown;
}

void JobAdvice::look_at(const VideoJob& job, const VideoModel& model) {
  if (!model.card) return;
  const auto& card = *model.card;
  auto& seen = models_.try_emplace(model.name, OfModel{card, {}, {}, {}}).first->second;
  for (const auto& word : unknown_words(job.prompt, card)) remember(seen.words, word);
  const auto size = fmt::format("{}x{}", job.size->width, job.size->height);
  if (!card.trained_sizes.empty() && !contains(card.trained_sizes, size)) remember(seen.sizes, size);
  if (!card.trained_frames.empty() && !contains(card.trained_frames, *job.frames)) remember(seen.frames, *job.frames);
}

std::vector<std::string> JobAdvice::sentences() const {
  std::vector<std::string> said;
  for (const auto& [name, seen] : models_) {
    const auto& known = seen.card.words;
    const auto model = printable(name, Lines::Escape);
    if (!seen.words.empty()) {
      std::vector<std::string> hinted;
      for (const auto& word : seen.words) hinted.push_back(with_hint(word, known));
      const bool all_lower = std::ranges::all_of(known, [](const auto& word) { return word == lower(word); });
      said.push_back(fmt::format("{} does not know {}; it knows {}{} words (rubato-cli models info {} lists them)",
                                 model, list_names(hinted, kShown), known.size(), all_lower ? " lower-case" : "",
                                 model));
    }
    if (!seen.sizes.empty())
      said.push_back(fmt::format("{} was trained on {} pixels; {} will look worse", model,
                                 all_of(seen.card.trained_sizes), all_of(seen.sizes)));
    if (!seen.frames.empty())
      said.push_back(fmt::format("{} was trained on clips of {} frames; {} will look worse", model,
                                 all_of(seen.card.trained_frames), all_of(seen.frames)));
  }
  return said;
}

}  // namespace rubato
