#include "engine/files/model_card.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/base/files.h"
#include "engine/base/ids.h"
#include "engine/base/json.h"
#include "engine/files/problem_list.h"

namespace rubato {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr std::uint64_t kMaxCard = 1u << 20;
constexpr std::size_t kMaxList = 1000;  // limits, prompts
constexpr std::size_t kMaxWords = 20'000;
constexpr std::size_t kMaxWord = 64;        // bytes
constexpr std::size_t kMaxChannels = 1024;  // of a latent
constexpr int kMaxCount = 1'000'000;        // frames, steps, pixels of an edge

// Reads fields of one object into a card and notes what does not fit.
class FieldReader {
 public:
  FieldReader(const json& object, std::string prefix, ProblemList& problems)
      : object_(object), prefix_(std::move(prefix)), problems_(problems) {}

  const json* find(const char* key) const {
    const auto at = object_.find(key);
    return at == object_.end() || at->is_null() ? nullptr : &*at;
  }
  void bad(const char* key, std::string_view want) {
    problems_.add(fmt::format("'{}{}' is not {}", prefix_, key, want));
  }

  void text(const char* key, std::string& out) {
    const json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_string()) return bad(key, "a text");
    out = value->get<std::string>();
  }
  void text(const char* key, std::optional<std::string>& out) {
    if (find(key) != nullptr) text(key, out.emplace());
  }
  // A list of texts; a single text is a list of one.
  void texts(const char* key, std::vector<std::string>& out, std::size_t most = kMaxList) {
    const json* value = find(key);
    if (value == nullptr) return;
    if (value->is_string()) return out.push_back(value->get<std::string>());
    const bool fine = value->is_array() && value->size() <= most &&
                      std::all_of(value->begin(), value->end(), [](const json& v) { return v.is_string(); });
    if (!fine) return bad(key, fmt::format("a list of at most {} texts", most));
    out = value->get<std::vector<std::string>>();
  }
  void flag(const char* key, bool& out) {
    const json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_boolean()) return bad(key, "true or false");
    out = value->get<bool>();
  }
  void count(const char* key, std::optional<int>& out) {
    const json* value = find(key);
    if (value == nullptr) return;
    const bool fine =
        value->is_number_unsigned() && value->get<std::uint64_t>() >= 1 && value->get<std::uint64_t>() <= kMaxCount;
    if (!fine) return bad(key, fmt::format("a whole number from 1 to {}", kMaxCount));
    out = value->get<int>();
  }
  void number(const char* key, std::optional<double>& out) {
    const json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_number()) return bad(key, "a number");
    out = value->get<double>();
  }

 private:
  const json& object_;
  std::string prefix_;
  ProblemList& problems_;
};

bool read_size(std::string_view text, std::optional<int>& width, std::optional<int>& height) {
  int w = 0, h = 0;
  const char* const end = text.end();
  const auto first = std::from_chars(text.begin(), end, w);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != 'x') return false;
  const auto second = std::from_chars(first.ptr + 1, end, h);
  if (second.ec != std::errc() || second.ptr != end || w < 1 || h < 1 || w > kMaxCount || h > kMaxCount) return false;
  width = w;
  height = h;
  return true;
}

void read_words(FieldReader& fields, std::vector<std::string>& out) {
  fields.texts("words", out, kMaxWords);
  if (std::ranges::any_of(out, [](const auto& word) { return word.empty() || word.size() > kMaxWord; }))
    fields.bad("words", fmt::format("a list of words of 1 to {} bytes", kMaxWord));
}

void read_trained(const json& value, ModelCard& card, ProblemList& problems) {
  FieldReader fields(value, "trained.", problems);
  fields.texts("sizes", card.trained_sizes);
  std::optional<int> width, height;
  if (!std::ranges::all_of(card.trained_sizes, [&](const auto& size) { return read_size(size, width, height); }))
    fields.bad("sizes", "a list of sizes such as \"832x480\"");
  const json* frames = fields.find("frames");
  if (frames == nullptr) return;
  const bool fine =
      frames->is_array() && frames->size() <= kMaxList && std::ranges::all_of(*frames, [](const json& v) {
        return v.is_number_unsigned() && v.get<std::uint64_t>() >= 1 && v.get<std::uint64_t>() <= kMaxCount;
      });
  if (!fine) return fields.bad("frames", "a list of whole numbers of frames");
  card.trained_frames = frames->get<std::vector<int>>();
}

bool read_rgb(const json& value, std::array<double, 3>& out) {
  if (!value.is_array() || value.size() != 3) return false;
  for (std::size_t i = 0; i < 3; ++i) {
    if (!value[i].is_number()) return false;
    out[i] = value[i].get<double>();
  }
  return true;
}

void read_defaults(const json& value, ModelCard::Defaults& out, ProblemList& problems) {
  FieldReader fields(value, "defaults.", problems);
  if (const json* size = fields.find("size"))
    if (!size->is_string() || !read_size(size->get_ref<const std::string&>(), out.width, out.height))
      fields.bad("size", "a size such as \"832x480\"");
  fields.count("frames", out.frames);
  fields.count("fps", out.fps);
  fields.count("steps", out.steps);
  fields.count("max_sequence_length", out.max_sequence_length);
  fields.number("guidance", out.guidance);
  fields.number("guidance_2", out.guidance_2);
  fields.text("negative_prompt", out.negative_prompt);
  out.all = value;
}

// One linear map: "matrix" and "bias" of `value`, which stands at `where`.
bool read_map(const json& value, std::string_view where, std::vector<std::array<double, 3>>& matrix,
              std::array<double, 3>& bias, ProblemList& problems) {
  const auto rows = value.find("matrix"), offset = value.find("bias");
  bool fine = rows != value.end() && rows->is_array() && !rows->empty() && rows->size() <= kMaxChannels;
  for (std::size_t c = 0; fine && c < rows->size(); ++c) fine = read_rgb((*rows)[c], matrix.emplace_back());
  if (!fine)
    problems.add(fmt::format("'{}.matrix' is not a list of 1 to {} rows of three numbers", where, kMaxChannels));
  if (!fine || offset == value.end() || read_rgb(*offset, bias)) return fine;
  problems.add(fmt::format("'{}.bias' is not a list of three numbers", where));
  return false;
}

void read_preview(const json& value, std::optional<ModelCard::Preview>& out, ProblemList& problems) {
  ModelCard::Preview preview;
  if (!read_map(value, "preview", preview.matrix, preview.bias, problems)) return;
  if (const auto first = value.find("first"); first != value.end()) {
    if (!first->is_object()) return problems.add("'preview.first' is not an object");
    if (!read_map(*first, "preview.first", preview.first_matrix, preview.first_bias, problems)) return;
    if (preview.first_matrix.size() != preview.matrix.size())
      return problems.add("'preview.first.matrix' has another number of rows than 'preview.matrix'");
  }
  out = std::move(preview);
}

void read_checksums(const json& value, std::map<std::string, std::string>& out, ProblemList& problems) {
  for (const auto& [path, sum] : value.items()) {
    const bool fine = sum.is_string() && sum.get_ref<const std::string&>().size() == 64 &&
                      sum.get_ref<const std::string&>().find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!fine) {
      problems.add(fmt::format("the checksum of '{}' is not 64 hexadecimal digits in lower case", shown_name(path)));
    } else {
      out.emplace(path, sum.get<std::string>());
    }
  }
}

}  // namespace

Result<ModelCard> ModelCard::parse(std::string_view text, std::string_view source) {
  JsonLimits limits;
  limits.max_bytes = kMaxCard;
  RUBATO_TRY(root, parse_json(text, source, limits, ErrorCode::ModelUnfit));
  if (!root.is_object()) return Error{ErrorCode::ModelUnfit, fmt::format("{} is not a JSON object", source)};

  ModelCard card;
  ProblemList problems;
  FieldReader fields(root, "", problems);
  std::optional<int> version;
  fields.count("version", version);
  card.version = version.value_or(1);
  fields.text("name", card.name);
  fields.text("title", card.title);
  fields.text("description", card.description);
  fields.texts("limits", card.limits);
  fields.texts("prompts", card.prompts);
  read_words(fields, card.words);
  fields.flag("practice", card.practice);
  const auto section = [&](const char* key, const auto& read) {
    const json* value = fields.find(key);
    if (value == nullptr) return;
    if (value->is_object()) {
      read(*value);
    } else {
      fields.bad(key, "an object");
    }
  };
  section("defaults", [&](const json& value) { read_defaults(value, card.defaults, problems); });
  section("trained", [&](const json& value) { read_trained(value, card, problems); });
  section("preview", [&](const json& value) { read_preview(value, card.preview, problems); });
  section("checksums", [&](const json& value) { read_checksums(value, card.checksums, problems); });
  if (const json* grammar = fields.find("grammar")) card.grammar = *grammar;
  if (!problems.empty()) return problems.error(ErrorCode::ModelUnfit, source);
  return card;
}

Result<std::optional<ModelCard>> ModelCard::load(const fs::path& model_folder) {
  const fs::path path = model_folder / kFileName;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::optional<ModelCard>();
  RUBATO_TRY(text, read_file(path, kMaxCard));
  RUBATO_TRY(card, parse(text, path.string()));
  return std::optional<ModelCard>(std::move(card));
}

std::vector<std::string> ModelCard::verify_checksums(const fs::path& model_folder) const {
  std::vector<std::string> wrong;
  for (const auto& [path, expected] : checksums) {
    const auto safe = SafePath::inside(model_folder, path);
    if (!safe.ok()) {
      wrong.push_back(safe.error().message);
      continue;
    }
    const auto sum = sha256_file(safe->path());
    if (!sum.ok()) {
      wrong.push_back(sum.error().message);
    } else if (*sum != expected) {
      wrong.push_back(
          fmt::format("{} has changed: its SHA-256 is {} and not {}", safe->path().string(), *sum, expected));
    }
  }
  return wrong;
}

}  // namespace rubato
