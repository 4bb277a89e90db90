// Fields of a job: each job struct lists its fields once, in a static `visit`, and everything that reads, writes,
// documents or generates jobs (schema.h) works on the list that comes out of it.
//
//   struct VideoJob {
//     static constexpr std::string_view kKind = "video";
//     std::string prompt;
//     template <typename Self, typename Visitor>
//     static void visit(Self& job, Visitor& v) {
//       v("prompt", job.prompt, Text{}, "What the video shows", Group::Generation, {.letter = 'p'});
//     }
//   };
//   VideoJob job;
//   Fields fields = fields_of(job);   // borrowed views of job's members
//
// A name is snake_case; its flag is the same in kebab-case. An unset std::optional means "whatever the model card or
// the model family says". A std::variant of method structs is a policy: {"method": "vgdfr", "keep": 0.6} in a file and
// --rate vgdfr:keep=0.6 on the command line. Each alternative has `static constexpr std::string_view kMethod`, its own
// `visit` for its knobs, and the first alternative is the neutral one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace rubato {

// Width and height in pixels; written "832x480".
struct Size {
  int width = 0, height = 0;
  bool operator==(const Size&) const = default;
};

// ---- What a value may be -------------------------------------------------------------------------------------
struct Text {  // any UTF-8 text without NUL
  std::size_t max_bytes = 64u << 10;
};
struct IdText {};  // letters, digits, '.', '_' and '-', at most 64 of them
struct IntRange {
  std::int64_t min, max;
};
struct RealRange {
  double min, max;
};
struct Choice {
  std::vector<std::string_view> names;
  std::string_view implied = {};  // the value of the bare flag; "" = the flag needs a value
};
enum class PathRole { Input, Output };
struct PathText {  // a file; a relative input path in a job file starts at the job file's folder
  PathRole role = PathRole::Input;
};
struct ModelText {};  // a model's name or folder; "./x" and "../x" in a job file start at the job file's folder
struct SizeSpec {     // WxH, each side in min..max pixels
  int min, max;
};
struct SeedSpec {};    // 0 .. 2^64-1
struct BytesSpec {};   // an amount of memory: a number of bytes, or text such as "1.5GiB" or "800MB"
struct DeviceText {};  // auto, cpu, cuda, cuda:N
struct Switch {};      // true or false; the bare flag means true, --no-NAME false
struct Method {};      // one of the methods of a policy, with its knobs

using Rule = std::variant<Text, IdText, IntRange, RealRange, Choice, PathText, ModelText, SizeSpec, SeedSpec, BytesSpec,
                          DeviceText, Switch, Method>;

enum class Group { Common, Generation, Inspection };

struct FieldOptions {
  char letter = 0;              // short flag: 'p' for -p
  bool identity = true;         // false: does not change what is made, so it is left out of the job's key
  std::string_view unset = {};  // what happens when it is not given, for the help; an optional's is "the model's"
};

// ---- One field of one job ------------------------------------------------------------------------------------
struct FieldRef;
using Fields = std::vector<FieldRef>;

// A policy field: a variant of method structs, seen without its type. Borrows the variant.
class PolicyRef {
 public:
  virtual ~PolicyRef() = default;
  virtual std::vector<std::string_view> methods() const = 0;  // the neutral one first
  virtual std::size_t chosen() const = 0;                     // index into methods()
  virtual void choose(std::size_t index) = 0;                 // that method with its default knobs
  virtual Fields knobs() = 0;                                 // of the chosen method; invalid after choose()
};

using FieldValue =
    std::variant<std::string*, std::optional<std::string>*, int*, std::optional<int>*, double*, std::optional<double>*,
                 std::optional<std::uint64_t>*, std::optional<Size>*, bool*, std::shared_ptr<PolicyRef>>;

// Points into the job it came from; the job outlives it.
struct FieldRef {
  std::string_view name;
  std::string_view help;
  Group group = Group::Generation;
  FieldOptions options;
  Rule rule;
  FieldValue value;
};

template <typename Job>
Fields fields_of(Job& job);

namespace detail {

template <typename... Methods>
class VariantPolicy final : public PolicyRef {
 public:
  explicit VariantPolicy(std::variant<Methods...>& value) : value_(value) {}
  std::vector<std::string_view> methods() const override { return {Methods::kMethod...}; }
  std::size_t chosen() const override { return value_.index(); }
  void choose(std::size_t index) override {
    std::size_t at = 0;
    (void)((at++ == index ? (value_ = Methods{}, true) : false) || ...);
  }
  Fields knobs() override {
    return std::visit([](auto& method) { return fields_of(method); }, value_);
  }

 private:
  std::variant<Methods...>& value_;
};

template <typename Value>
FieldValue bind_field(Value& value) {
  return &value;
}
template <typename... Methods>
FieldValue bind_field(std::variant<Methods...>& value) {
  return std::make_shared<VariantPolicy<Methods...>>(value);
}

template <typename T>
struct Bare {
  using type = T;
};
template <typename T>
struct Bare<std::optional<T>> {
  using type = T;
};
template <typename T>
inline constexpr bool kIsVariant = false;
template <typename... Ts>
inline constexpr bool kIsVariant<std::variant<Ts...>> = true;

// Which rule describes which type of member: a mismatch is found by the compiler, not by a user.
template <typename RuleType, typename Value>
constexpr bool rule_fits() {
  using T = typename Bare<Value>::type;
  if constexpr (std::is_same_v<RuleType, IntRange>) return std::is_same_v<T, int>;
  if constexpr (std::is_same_v<RuleType, RealRange>) return std::is_same_v<T, double>;
  if constexpr (std::is_same_v<RuleType, SizeSpec>) return std::is_same_v<Value, std::optional<Size>>;
  if constexpr (std::is_same_v<RuleType, SeedSpec> || std::is_same_v<RuleType, BytesSpec>)
    return std::is_same_v<Value, std::optional<std::uint64_t>>;
  if constexpr (std::is_same_v<RuleType, Switch>) return std::is_same_v<Value, bool>;
  if constexpr (std::is_same_v<RuleType, Method>) return kIsVariant<Value>;
  return std::is_same_v<T, std::string>;
}

}  // namespace detail

// The visitor behind fields_of().
class FieldCollector {
 public:
  template <typename Value, typename RuleType>
  void operator()(std::string_view name, Value& value, RuleType rule, std::string_view help,
                  Group group = Group::Generation, FieldOptions options = {}) {
    static_assert(detail::rule_fits<RuleType, Value>(), "this rule does not describe a member of this type");
    fields_.push_back({name, help, group, options, std::move(rule), detail::bind_field(value)});
  }
  Fields take() { return std::move(fields_); }

 private:
  Fields fields_;
};

template <typename Job>
Fields fields_of(Job& job) {
  FieldCollector collect;
  Job::visit(job, collect);
  return collect.take();
}

}  // namespace rubato
