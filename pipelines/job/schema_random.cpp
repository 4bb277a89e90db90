// Random valid jobs for property tests.
#include <array>
#include <cmath>

#include "engine/base/check.h"
#include "pipelines/job/field_value.h"
#include "pipelines/job/schema.h"

namespace rubato {
namespace {

template <typename Int>
Int between(std::mt19937_64& random, Int lo, Int hi) {
  return std::uniform_int_distribution<Int>(lo, hi)(random);
}

// Texts with everything that readers and writers like to get wrong.
std::string random_text(std::mt19937_64& random, std::size_t max_bytes) {
  constexpr std::array<std::string_view, 24> kPieces{"a red ball", " ",  "\n",  "\t", "\"",   "'",  "\\",   ": ",
                                                     "# ",         "- ", "{",   "}",  "[",    ",",  "&x",   "*x",
                                                     "!t",         "%",  "yes", "é",  "漢字", "🎬", "\x01", "\x7f"};
  std::string text;
  for (int n = between(random, 0, 12); n > 0; --n) {
    const auto piece = kPieces[between<std::size_t>(random, 0, kPieces.size() - 1)];
    if (text.size() + piece.size() <= max_bytes) text += piece;
  }
  return text;
}

std::string random_path(std::mt19937_64& random) {
  return "/clips/" + std::to_string(between(random, 0, 999)) + (between(random, 0, 1) ? " ä.mp4" : ".safetensors");
}

void set_random(const FieldRef& field, std::mt19937_64& random) {
  using detail::Overloaded;
  const auto text = [&](std::string value) {
    if (auto* const* target = std::get_if<std::string*>(&field.value))
      **target = std::move(value);
    else
      *std::get<std::optional<std::string>*>(field.value) = std::move(value);
  };
  std::visit(Overloaded{
                 [&](const Text& rule) { text(random_text(random, rule.max_bytes)); },
                 [&](const IdText&) { text("job-" + std::to_string(between(random, 0, 99999))); },
                 [&](const PathText&) { text(random_path(random)); },
                 [&](const ModelText&) { text(random_path(random)); },
                 [&](const DeviceText&) {
                   text(between(random, 0, 1) ? "cpu" : "cuda:" + std::to_string(between(random, 0, 15)));
                 },
                 [&](const Choice& rule) {
                   text(std::string(rule.names[between<std::size_t>(random, 0, rule.names.size() - 1)]));
                 },
                 [&](const IntRange& rule) {
                   const int value = static_cast<int>(between(random, rule.min, rule.max));
                   if (auto* const* target = std::get_if<int*>(&field.value))
                     **target = value;
                   else
                     *std::get<std::optional<int>*>(field.value) = value;
                 },
                 [&](const RealRange& rule) {
                   const double value =
                       std::uniform_real_distribution<double>(rule.min, std::nextafter(rule.max, INFINITY))(random);
                   if (auto* const* target = std::get_if<double*>(&field.value))
                     **target = value;
                   else
                     *std::get<std::optional<double>*>(field.value) = value;
                 },
                 [&](const SizeSpec& rule) {
                   *std::get<std::optional<Size>*>(field.value) =
                       Size{between(random, rule.min, rule.max), between(random, rule.min, rule.max)};
                 },
                 [&](const SeedSpec&) { *std::get<std::optional<std::uint64_t>*>(field.value) = random(); },
                 [&](const BytesSpec&) {
                   *std::get<std::optional<std::uint64_t>*>(field.value) = random() % (1ull << 40);
                 },
                 [&](const Switch&) { *std::get<bool*>(field.value) = between(random, 0, 1) == 1; },
                 [&](const Method&) {
                   PolicyRef& policy = *detail::policy_of(field);
                   policy.choose(between<std::size_t>(random, 0, policy.methods().size() - 1));
                   fill_random(policy.knobs(), random);
                 },
             },
             field.rule);
}

}  // namespace

void fill_random(const Fields& fields, std::mt19937_64& random) {
  for (const auto& field : fields)
    if (!detail::is_optional(field) || between(random, 0, 1) == 1) set_random(field, random);
}

}  // namespace rubato
