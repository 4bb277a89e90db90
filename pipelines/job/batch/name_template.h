// Names of output files: "{date}/{job}-{index:04}-{prompt:40}.mp4".
//
//   {date} {date:%Y-%m-%d}  day of the run, by default %Y%m%d       {w} {h}      width and height in pixels
//   {time} {time:%H.%M}     its time, by default %H%M%S             {prompt:40}  its first 40 characters
//   {job}                   the job's id                            {preset}     the preset's name
//   {index:04}              number in the file, with zeros          {var.x}      a variable of the job
//   {seed}                  the seed                                {hash:8}     first characters of the job's key
//   {model}                 the model's name                        {{ and }}    braces themselves
//
// Values are cleaned, so that no prompt can leave the folder: NFC, control characters and / \ : * ? " < > | become '_',
// no part begins with a dot or a dash or is longer than 120 bytes (texts are shortened first, so that a long prompt
// does not push out the seed behind it), and names that Windows reserves get a '_'. The template itself is refused
// rather than cleaned where it breaks these rules, is absolute, or has a part "..".
#pragma once

#include <cstdint>
#include <ctime>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "pipelines/job/field.h"

namespace rubato {

struct NameValues {
  std::tm when{};   // the run's start, local time
  std::string job;  // id
  int index = 0;    // BatchJob::index
  std::uint64_t seed = 0;
  std::string model;  // name or folder; the last part of it is used
  Size size;
  std::string prompt, preset, hash;
  std::map<std::string, std::string> variables;
};

class NameTemplate {
 public:
  // JobInvalid, a message without a place in front ("unknown placeholder {sed}; did you mean {seed}?").
  static Result<NameTemplate> parse(std::string_view text);

  // JobInvalid when the template uses a variable that is not there.
  Result<> check_variables(const std::map<std::string, std::string>& variables) const;

  // A relative path with '/' between its parts. Pure: equal values give equal names. An unknown variable gives '_'.
  // `extension` (".mp4") is put behind a template that has none; one that ends in '/' names a folder and gets none. The
  // caller still resolves the path with SafePath, since a folder on the way may be a link.
  std::string render(const NameValues& values, std::string_view extension = {}) const;

  // Whether the template itself ends in an extension: "{job}.webm", but not "{prompt}", whatever the prompt.
  bool has_extension() const;

  // Whether the name depends on anything; a template without placeholders gives every job the same name.
  bool is_constant() const;

 private:
  friend class NameTemplateReader;
  enum class Kind { Literal, Date, Job, Index, Seed, Model, Width, Height, Prompt, Preset, Variable, Hash };
  struct Piece {
    Kind kind = Kind::Literal;
    std::string text;       // the literal, the time's format, or the variable's name
    std::size_t limit = 0;  // characters at most (prompt, hash, …) or digits at least (index); 0 = as it is
  };
  using Part = std::vector<Piece>;  // what stands between two slashes

  static std::string value_of(const Piece& piece, const NameValues& values);
  static std::string render_part(const Part& part, const NameValues& values, std::string_view extension);

  std::vector<Part> parts_;
  bool folder_ = false;  // ends in '/': a folder of pictures
};

// The template that renders to exactly this path: braces doubled.
std::string literal_name(std::string_view path);

}  // namespace rubato
