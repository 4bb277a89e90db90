#include "pipelines/job/batch/name_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>

#include "engine/base/text.h"
#include "engine/files/file_name.h"

namespace rubato {
namespace {

constexpr std::size_t kMaxTemplate = 4096;
constexpr std::string_view kDefaultDate = "%Y%m%d", kDefaultTime = "%H%M%S";

Error refuse(std::string message) { return Error{ErrorCode::JobInvalid, std::move(message)}; }

// A name as it stands in messages.
std::string shown(std::string_view text) { return printable(clip_utf8(text, 80), Lines::Escape); }

// What may stand behind the colon of a placeholder.
enum class Spec { None, Time, Digits, Characters };

std::optional<std::string> time_format_fault(std::string_view format) {
  constexpr std::string_view kConversions = "YymdHMSj%", kBetween = "._- ";
  for (std::size_t i = 0; i < format.size(); ++i) {
    const char c = format[i];
    if (c == '%') {
      if (i + 1 == format.size() || kConversions.find(format[i + 1]) == std::string_view::npos)
        return "knows %Y, %y, %m, %d, %j, %H, %M, %S and %%";
      ++i;
    } else if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
               kBetween.find(c) == std::string_view::npos) {
      return "may hold letters, digits, '.', '_', '-' and spaces besides %Y, %m and the like";
    }
  }
  if (format.empty() || format.size() > 60) return "must have 1 to 60 characters";
  return std::nullopt;
}

std::string format_time(const std::string& format, const std::tm& when) {
  std::array<char, 256> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), format.c_str(), &when);
  return {text.data(), length};
}

// The model's own name: the last folder of its path.
std::string model_name(std::string_view model) {
  while (model.size() > 1 && model.ends_with('/')) model.remove_suffix(1);
  const auto slash = model.rfind('/');
  return std::string(slash == std::string_view::npos ? model : model.substr(slash + 1));
}

void trim_spaces(std::string& text) {
  while (text.ends_with(' ')) text.pop_back();
}

}  // namespace

// Reads a template character by character into parts and pieces.
class NameTemplateReader {
 public:
  explicit NameTemplateReader(std::string_view text) : text_(text), whole_(text) {}

  Result<NameTemplate> read() {
    if (text_.empty()) return refuse("the name is empty");
    if (text_.size() > kMaxTemplate)
      return refuse(fmt::format("the name has {} bytes; at most {} are allowed", text_.size(), kMaxTemplate));
    if (text_.front() == '/')
      return refuse(fmt::format("the name '{}' is absolute; it must start in the output folder", shown(whole_)));
    made_.folder_ = text_.ends_with('/');
    if (made_.folder_) text_.remove_suffix(1);
    for (at_ = 0; at_ < text_.size();) RUBATO_OK(read_next());
    RUBATO_OK(end_part());
    return std::move(made_);
  }

 private:
  using Kind = NameTemplate::Kind;

  Result<> read_next() {
    const char c = text_[at_];
    const bool doubled = at_ + 1 < text_.size() && text_[at_ + 1] == c;
    if ((c == '{' || c == '}') && doubled) {
      literal_ += c;
      at_ += 2;
      return {};
    }
    if (c == '}')
      return refuse(fmt::format("the name '{}' has a lone '}}'; write '}}}}' for the brace", shown(whole_)));
    if (c == '{') return read_placeholder();
    ++at_;
    if (c == '/') return end_part();
    literal_ += c;
    return {};
  }

  Result<> read_placeholder() {
    const auto close = text_.find('}', at_);
    if (close == std::string_view::npos)
      return refuse(
          fmt::format("the name '{}' has a '{{' without its '}}'; write '{{{{' for the brace", shown(whole_)));
    const auto inside = text_.substr(at_ + 1, close - at_ - 1);
    at_ = close + 1;
    const auto colon = inside.find(':');
    const auto name = inside.substr(0, colon);
    const auto spec = colon == std::string_view::npos ? std::string_view{} : inside.substr(colon + 1);
    flush_literal();
    return add_placeholder(name, spec, colon != std::string_view::npos);
  }

  Result<> add_placeholder(std::string_view name, std::string_view spec, bool has_spec) {
    struct Known {
      std::string_view name;
      Kind kind;
      Spec spec;
    };
    static constexpr std::array<Known, 11> kKnown{{{"date", Kind::Date, Spec::Time},
                                                   {"time", Kind::Date, Spec::Time},
                                                   {"job", Kind::Job, Spec::Characters},
                                                   {"index", Kind::Index, Spec::Digits},
                                                   {"seed", Kind::Seed, Spec::None},
                                                   {"model", Kind::Model, Spec::Characters},
                                                   {"w", Kind::Width, Spec::None},
                                                   {"h", Kind::Height, Spec::None},
                                                   {"prompt", Kind::Prompt, Spec::Characters},
                                                   {"preset", Kind::Preset, Spec::Characters},
                                                   {"hash", Kind::Hash, Spec::Characters}}};
    NameTemplate::Piece piece;
    Spec allowed = Spec::Characters;
    if (name.starts_with("var.") && name.size() > 4) {
      piece.kind = Kind::Variable;
      piece.text = name.substr(4);
    } else {
      const auto found = std::find_if(kKnown.begin(), kKnown.end(), [&](const Known& k) { return k.name == name; });
      if (found == kKnown.end()) {
        std::vector<std::string> names{"var.x"};
        for (const auto& known : kKnown) names.emplace_back(known.name);
        const auto near = nearest_name(name, names);
        return refuse(fmt::format("unknown placeholder {{{}}}{}", shown(name),
                                  near ? fmt::format("; did you mean {{{}}}?", *near)
                                       : fmt::format("; there is {{{}}}", join(names, "}, {"))));
      }
      piece.kind = found->kind;
      allowed = found->spec;
      if (piece.kind == Kind::Date) piece.text = name == "date" ? kDefaultDate : kDefaultTime;
    }
    if (has_spec) RUBATO_OK(read_spec(name, spec, allowed, piece));
    part_.push_back(std::move(piece));
    return {};
  }

  static Result<> read_spec(std::string_view name, std::string_view spec, Spec allowed, NameTemplate::Piece& piece) {
    if (allowed == Spec::None) return refuse(fmt::format("{{{}}} takes nothing behind a colon", shown(name)));
    if (allowed == Spec::Time) {
      if (const auto fault = time_format_fault(spec))
        return refuse(fmt::format("{{{}:{}}}: the format {}", shown(name), shown(spec), *fault));
      piece.text = spec;
      return {};
    }
    const std::size_t most = allowed == Spec::Digits ? 12 : kMaxNamePart;
    const auto [stop, fault] = std::from_chars(spec.data(), spec.data() + spec.size(), piece.limit);
    if (fault != std::errc{} || stop != spec.data() + spec.size() || piece.limit < 1 || piece.limit > most)
      return refuse(fmt::format("{{{}:{}}}: behind the colon stands a number of {}, 1 to {}", shown(name), shown(spec),
                                allowed == Spec::Digits ? "digits" : "characters", most));
    return {};
  }

  void flush_literal() {
    if (literal_.empty()) return;
    part_.push_back({Kind::Literal, std::move(literal_), 0});
    literal_.clear();
  }

  // Closes what stands between two slashes. What the template says itself must be a good name as it is.
  Result<> end_part() {
    flush_literal();
    if (part_.empty()) return refuse(fmt::format("the name '{}' has an empty part between slashes", shown(whole_)));
    std::string said;  // literals, with a letter for each value
    for (const auto& piece : part_) said += piece.kind == Kind::Literal ? piece.text : "x";
    if (said == "..") return refuse(fmt::format("the name '{}' leaves the output folder by '..'", shown(whole_)));
    if (const auto fault = name_part_fault(said)) {
      std::string shown_part;
      for (const auto& piece : part_) shown_part += piece.kind == Kind::Literal ? piece.text : "{…}";
      std::string better;
      if (part_.size() == 1) better = fmt::format("; write '{}'", shown(clean_name_part(clean_name_text(said))));
      return refuse(fmt::format("'{}' in the name {}{}", shown(shown_part), *fault, better));
    }
    made_.parts_.push_back(std::move(part_));
    part_.clear();
    return {};
  }

  std::string_view text_;
  std::string_view whole_;  // as it was written, for messages
  std::size_t at_ = 0;
  std::string literal_;
  NameTemplate::Part part_;
  NameTemplate made_;
};

Result<NameTemplate> NameTemplate::parse(std::string_view text) { return NameTemplateReader(text).read(); }

Result<> NameTemplate::check_variables(const std::map<std::string, std::string>& variables) const {
  for (const auto& part : parts_) {
    for (const auto& piece : part) {
      if (piece.kind != Kind::Variable || variables.count(piece.text) != 0) continue;
      std::vector<std::string> names;
      for (const auto& [name, value] : variables) names.push_back("var." + name);
      return refuse(fmt::format("the name uses {{var.{}}}, but the job has no such variable{}", shown(piece.text),
                                did_you_mean("var." + piece.text, names)));
    }
  }
  return {};
}

bool NameTemplate::is_constant() const {
  return std::all_of(parts_.begin(), parts_.end(), [](const Part& part) {
    return std::all_of(part.begin(), part.end(), [](const Piece& piece) { return piece.kind == Kind::Literal; });
  });
}

bool NameTemplate::has_extension() const {
  const Piece& last = parts_.back().back();
  if (last.kind != Kind::Literal) return false;
  const auto dot = last.text.rfind('.');
  if (dot == std::string::npos || (dot == 0 && parts_.back().size() == 1)) return false;
  const auto extension = std::string_view(last.text).substr(dot + 1);
  const auto plain = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  return !extension.empty() && extension.size() <= 11 && std::all_of(extension.begin(), extension.end(), plain);
}

std::string NameTemplate::value_of(const Piece& piece, const NameValues& values) {
  const auto text = [&](const std::string& value) {
    std::string clean = clean_name_text(clip_utf8(value, kMaxTemplate));
    if (piece.limit > 0) {
      clean = first_characters(clean, piece.limit);
      trim_spaces(clean);
    }
    return clean.empty() ? "_" : clean;
  };
  switch (piece.kind) {
    case Kind::Literal:
      return piece.text;
    case Kind::Date:
      return format_time(piece.text, values.when);
    case Kind::Job:
      return text(values.job);
    case Kind::Index:
      return fmt::format("{:0{}}", values.index, std::max<std::size_t>(1, piece.limit));
    case Kind::Seed:
      return std::to_string(values.seed);
    case Kind::Model:
      return text(model_name(values.model));
    case Kind::Width:
      return std::to_string(values.size.width);
    case Kind::Height:
      return std::to_string(values.size.height);
    case Kind::Prompt:
      return text(std::string(trim(values.prompt)));
    case Kind::Preset:
      return text(values.preset);
    case Kind::Variable: {
      const auto found = values.variables.find(piece.text);
      return text(found == values.variables.end() ? "" : found->second);
    }
    case Kind::Hash:
      return text(values.hash);
  }
  return {};
}

std::string NameTemplate::render_part(const Part& part, const NameValues& values, std::string_view extension) {
  std::vector<std::string> texts;
  std::size_t total = extension.size();
  for (const auto& piece : part) total += texts.emplace_back(value_of(piece, values)).size();
  // Too long: texts are shortened, the longest first, so that the numbers that tell the files apart stay.
  while (total > kMaxNamePart) {
    std::string* longest = nullptr;
    std::size_t second = 0;
    for (std::size_t i = 0; i < part.size(); ++i) {
      const Kind kind = part[i].kind;
      const bool text = kind == Kind::Prompt || kind == Kind::Variable || kind == Kind::Preset || kind == Kind::Model;
      if (!text) continue;
      if (longest == nullptr || texts[i].size() > longest->size()) {
        second = longest == nullptr ? second : std::max(second, longest->size());
        longest = &texts[i];
      } else {
        second = std::max(second, texts[i].size());
      }
    }
    if (longest == nullptr || longest->size() <= 1) break;
    const std::size_t before = longest->size();
    const std::size_t cut = std::min({total - kMaxNamePart, std::max<std::size_t>(1, before - second), before - 1});
    *longest = clip_utf8(*longest, before - cut);
    trim_spaces(*longest);
    if (longest->empty()) *longest = "_";
    total -= before - longest->size();
  }
  std::string name;
  for (const auto& text : texts) name += text;
  // NFC again: the first character of a value may belong to the one in front of it.
  return clean_name_part(clean_name_text(name.append(extension)));
}

std::string NameTemplate::render(const NameValues& values, std::string_view extension) const {
  std::string path;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const bool last = i + 1 == parts_.size();
    if (i > 0) path += '/';
    path += render_part(parts_[i], values, last && !folder_ && !has_extension() ? extension : std::string_view{});
  }
  if (folder_) path += '/';
  return path;
}

std::string literal_name(std::string_view path) {
  std::string text;
  for (const char c : path) text.append(c == '{' || c == '}' ? 2 : 1, c);
  return text;
}

}  // namespace rubato
