#include "tests/property/job_spelling.h"

#include <fmt/format.h>

#include <algorithm>

#include "pipelines/job/schema.h"

namespace rubato::test {
namespace {

using nlohmann::json;

bool coin(std::mt19937_64& random) { return (random() & 1) != 0; }

std::string spaces(std::mt19937_64& random) {
  std::string text;
  while (random() % 3 == 0) text += " \n\t"[random() % 3];
  return text;
}

std::vector<std::string> shuffled_keys(const json& object, std::mt19937_64& random) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  std::shuffle(keys.begin(), keys.end(), random);
  return keys;
}

// A JSON text; ASCII characters now and then by their number.
std::string quoted(const std::string& text, std::mt19937_64& random) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || c == '"' || c == '\\' || byte == 0x7F || (byte < 0x80 && random() % 8 == 0))
      out += coin(random) ? fmt::format("\\u{:04x}", byte) : fmt::format("\\u{:04X}", byte);
    else
      out += c;
  }
  return out + '"';
}

std::string number(const json& value, std::mt19937_64& random) {
  constexpr std::uint64_t kExact = 1ull << 53;
  if (value.is_number_integer() && value.get<std::uint64_t>() < kExact && coin(random)) return value.dump() + ".0";
  return value.dump();
}

std::string scalar(const json& value, std::mt19937_64& random) {
  if (value.is_string()) return quoted(value.get<std::string>(), random);
  return value.is_number() ? number(value, random) : value.dump();
}

// Letters and blanks between them mean themselves in YAML, except for the words of its core schema.
bool may_be_plain(const std::string& text) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !text.empty() && letter(text.front()) && letter(text.back()) && text != "true" && text != "false" &&
         text != "null" && std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || c == ' '; });
}
bool may_be_single_quoted(const std::string& text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7F' || c == '\''; });
}

std::string yaml_scalar(const json& value, std::mt19937_64& random) {
  if (!value.is_string()) return scalar(value, random);
  const auto& text = value.get_ref<const std::string&>();
  if (may_be_plain(text) && coin(random)) return text;
  return may_be_single_quoted(text) && coin(random) ? "'" + text + "'" : quoted(text, random);
}

std::string text_of(const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

}  // namespace

VideoJob random_job(std::mt19937_64& random) {
  VideoJob job;
  fill_random(fields_of(job), random);
  return job;
}

std::string random_json(const json& object, std::mt19937_64& random) {
  if (!object.is_object()) return scalar(object, random);
  std::string out = spaces(random) + "{";
  for (const auto& key : shuffled_keys(object, random))
    out += fmt::format("{}{}{}{}:{}{}{}", out.ends_with('{') ? "" : ",", spaces(random), quoted(key, random),
                       spaces(random), spaces(random), random_json(object[key], random), spaces(random));
  return out + "}" + spaces(random);
}

std::string random_yaml(const json& object, std::mt19937_64& random) {
  std::string out = coin(random) ? "---\n" : "# a job\n";
  for (const auto& key : shuffled_keys(object, random)) {
    const auto& value = object[key];
    if (!value.is_object()) {
      out += fmt::format("{}: {}{}\n", key, yaml_scalar(value, random), coin(random) ? "  # so" : "");
    } else if (coin(random)) {
      out += fmt::format("{}: {}\n", key, value.dump());
    } else {
      out += key + ":\n";
      for (const auto& inner : shuffled_keys(value, random))
        out += fmt::format("  {}: {}\n", inner, yaml_scalar(value[inner], random));
    }
  }
  return out;
}

std::vector<std::string> random_flags(const VideoJob& job, std::mt19937_64& random) {
  VideoJob copy = job;
  auto fields = fields_of(copy);
  std::shuffle(fields.begin(), fields.end(), random);
  const auto values = video_job_to_json(job);
  std::vector<std::string> args;
  for (const auto& field : fields) {
    const auto found = values.find(std::string(field.name));
    if (found == values.end()) continue;
    const auto flag = flag_of(field.name);
    const auto text = found->is_object() ? found->at("method").get<std::string>() : text_of(*found);
    if (found->is_boolean() && coin(random)) {
      args.push_back(*found == true ? flag : "--no-" + flag.substr(2));
    } else if (field.options.letter != 0 && !text.starts_with('=') && coin(random)) {
      args.push_back(fmt::format("-{}{}{}", field.options.letter, text.empty() || coin(random) ? "=" : "", text));
    } else if (found->is_boolean() || std::holds_alternative<Choice>(field.rule) || text.starts_with('-') ||
               coin(random)) {
      args.push_back(fmt::format("{}={}", flag, text));
    } else {
      args.push_back(flag);
      args.push_back(text);
    }
  }
  return args;
}

}  // namespace rubato::test
