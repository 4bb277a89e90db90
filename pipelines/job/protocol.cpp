#include "pipelines/job/protocol.h"

#include <fmt/format.h>

#include <cmath>
#include <concepts>
#include <limits>
#include <type_traits>

#include "engine/base/guard.h"
#include "engine/base/json.h"

namespace rubato::protocol {
namespace {

using nlohmann::json;

constexpr JsonLimits kFrameLimits{
    .max_bytes = kMaxFrame, .max_depth = 32, .max_string = 1u << 20, .max_values = 1'000'000};
constexpr std::size_t kMaxList = 10'000;

// ---- What each message holds, listed once for both directions ----------------------------------------------------
template <typename M, typename T>
concept Is = std::same_as<std::remove_const_t<M>, T>;

template <typename V>
void members(Is<Device> auto& m, V& v) {
  v("id", m.id);
  v("name", m.name);
  v("bytes", m.bytes);
}
template <typename V>
void members(Is<Output> auto& m, V& v) {
  v("path", m.path);
  v("kind", m.kind);
  v("bytes", m.bytes);
  v.optional("sha256", m.sha256);
}
template <typename V>
void members(Is<Hello> auto& m, V& v) {
  v("version", m.version);
  v.optional("devices", m.devices);
}
template <typename V>
void members(Is<Run> auto& m, V& v) {
  v("id", m.id);
  v("job", m.job);
  v.optional("key", m.hints.key);
  v.optional("expected_s", m.hints.expected_s);
}
template <typename V>
void members(Is<Cancel> auto& m, V& v) {
  v("id", m.id);
  v("when", m.when);
}
template <typename V>
void members(Is<Quit> auto&, V&) {}
template <typename V>
void members(Is<Accepted> auto& m, V& v) {
  v("id", m.id);
}
template <typename V>
void members(Is<Phase> auto& m, V& v) {
  v("id", m.id);
  v("name", m.name);
  v("total", m.total);
}
template <typename V>
void members(Is<Progress> auto& m, V& v) {
  v("id", m.id);
  v("phase", m.phase);
  v("done", m.done);
  v("total", m.total);
  v("fraction", m.fraction);
  v.optional("eta_s", m.eta_s);
  v.optional("eta_lo_s", m.eta_lo_s);
  v.optional("eta_hi_s", m.eta_hi_s);
}
template <typename V>
void members(Is<Preview> auto& m, V& v) {
  v("id", m.id);
  v("step", m.step);
  v("width", m.width);
  v("height", m.height);
  v("frames", m.frames);
}
template <typename V>
void members(Is<Token> auto& m, V& v) {
  v("id", m.id);
  v("text", m.text);
}
template <typename V>
void members(Is<Metric> auto& m, V& v) {
  v("id", m.id);
  v("name", m.name);
  v("value", m.value);
}
template <typename V>
void members(Is<Warn> auto& m, V& v) {
  v("id", m.id);
  v("code", m.code);
  v("message", m.message);
}
template <typename V>
void members(Is<Checkpoint> auto& m, V& v) {
  v("id", m.id);
  v("step", m.step);
  v("path", m.path);
}
template <typename V>
void members(Is<Done> auto& m, V& v) {
  v("id", m.id);
  v("outputs", m.outputs);
  v("report", m.report);
}
template <typename V>
void members(Is<Failed> auto& m, V& v) {
  v("id", m.id);
  v("code", m.code);
  v("message", m.message);
  v.optional("kept", m.kept);
}
template <typename V>
void members(Is<Heartbeat> auto&, V&) {}

template <typename T>
struct TypeName;
template <>
struct TypeName<Hello> {
  static constexpr std::string_view value = "hello";
};
template <>
struct TypeName<Run> {
  static constexpr std::string_view value = "run";
};
template <>
struct TypeName<Cancel> {
  static constexpr std::string_view value = "cancel";
};
template <>
struct TypeName<Quit> {
  static constexpr std::string_view value = "quit";
};
template <>
struct TypeName<Accepted> {
  static constexpr std::string_view value = "accepted";
};
template <>
struct TypeName<Phase> {
  static constexpr std::string_view value = "phase";
};
template <>
struct TypeName<Progress> {
  static constexpr std::string_view value = "progress";
};
template <>
struct TypeName<Preview> {
  static constexpr std::string_view value = "preview";
};
template <>
struct TypeName<Token> {
  static constexpr std::string_view value = "token";
};
template <>
struct TypeName<Metric> {
  static constexpr std::string_view value = "metric";
};
template <>
struct TypeName<Warn> {
  static constexpr std::string_view value = "warn";
};
template <>
struct TypeName<Checkpoint> {
  static constexpr std::string_view value = "checkpoint";
};
template <>
struct TypeName<Done> {
  static constexpr std::string_view value = "done";
};
template <>
struct TypeName<Failed> {
  static constexpr std::string_view value = "failed";
};
template <>
struct TypeName<Heartbeat> {
  static constexpr std::string_view value = "heartbeat";
};

// ---- Writing ------------------------------------------------------------------------------------------------------
class Writer {
 public:
  template <typename T>
  void operator()(const char* name, const T& value) {
    object[name] = as_json(value);
  }
  void optional(const char* name, const std::string& value) {
    if (!value.empty()) object[name] = value;
  }
  void optional(const char* name, double value) {
    if (value >= 0 && std::isfinite(value)) object[name] = value;
  }
  template <typename T>
  void optional(const char* name, const std::vector<T>& value) {
    if (!value.empty()) object[name] = as_json(value);
  }
  void optional(const char* name, const std::map<std::string, double>& value) {
    if (!value.empty()) object[name] = value;
  }

  json object = json::object();

 private:
  static json as_json(CancelWhen when) { return when == CancelWhen::Now ? "now" : "after_step"; }
  static json as_json(ErrorCode code) { return code_name(code); }
  template <typename T>
  static json as_json(const std::vector<T>& list) {
    json array = json::array();
    for (const auto& item : list) {
      Writer inner;
      members(item, inner);
      array.push_back(std::move(inner.object));
    }
    return array;
  }
  template <typename T>
  static json as_json(const T& value) {
    return value;
  }
};

// ---- Reading ------------------------------------------------------------------------------------------------------
// Leaves by ErrorException on the first member that is not what it should be.
class Reader {
 public:
  Reader(const json& object, std::string_view type) : object_(object), type_(type) {}

  template <typename T>
  void operator()(const char* name, T& value) {
    const auto at = object_.find(name);
    if (at == object_.end()) refuse(name, "is missing");
    read(name, *at, value);
  }
  template <typename T>
  void optional(const char* name, T& value) {
    if (const auto at = object_.find(name); at != object_.end()) read(name, *at, value);
  }
  [[noreturn]] void refuse(std::string_view name, std::string_view what) const {
    throw ErrorException(
        {ErrorCode::Corrupt, fmt::format("the message '{}' is damaged: its '{}' {}", type_, name, what)});
  }

 private:
  void read(const char* name, const json& from, std::string& to) const {
    if (!from.is_string()) refuse(name, "is not text");
    to = from.get<std::string>();
  }
  template <std::integral Int>
  void read(const char* name, const json& from, Int& to) const {
    // No count, size or step of the protocol is negative.
    if (!from.is_number_unsigned() ||
        from.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<Int>::max()))
      refuse(name, "is not a whole number in range");
    to = static_cast<Int>(from.get<std::uint64_t>());
  }
  void read(const char* name, const json& from, double& to) const {
    if (from.is_null())
      to = std::numeric_limits<double>::quiet_NaN();  // JSON has no word for it
    else if (from.is_number())
      to = from.get<double>();
    else
      refuse(name, "is not a number");
  }
  void read(const char* name, const json& from, json& to) const {
    if (!from.is_object()) refuse(name, "is not an object");
    to = from;
  }
  void read(const char* name, const json& from, std::map<std::string, double>& to) const {
    if (!from.is_object() || from.size() > kMaxList) refuse(name, "is not an object, or a very large one");
    to.clear();
    for (const auto& [key, value] : from.items()) {
      if (!value.is_number() || !std::isfinite(value.get<double>())) refuse(name, "holds something that is not a number");
      to[key] = value.get<double>();
    }
  }
  void read(const char* name, const json& from, CancelWhen& to) const {
    if (from == "now")
      to = CancelWhen::Now;
    else if (from == "after_step")
      to = CancelWhen::AfterStep;
    else
      refuse(name, "is neither 'now' nor 'after_step'");
  }
  void read(const char* name, const json& from, ErrorCode& to) const {
    if (!from.is_string()) refuse(name, "is not text");
    to = code_from_name(from.get<std::string>());
  }
  template <typename T>
  void read(const char* name, const json& from, std::vector<T>& to) const {
    if (!from.is_array() || from.size() > kMaxList) refuse(name, "is not a list, or a very long one");
    to.clear();
    for (const auto& item : from) {
      if (!item.is_object()) refuse(name, "holds something that is not an object");
      Reader inner(item, type_);
      members(to.emplace_back(), inner);
    }
  }

  const json& object_;
  std::string_view type_;
};

// What types alone do not say.
void check(const Progress& m, const Reader& reader) {
  if (!(m.fraction >= 0 && m.fraction <= 1)) reader.refuse("fraction", "is not between 0 and 1");
}
void check(const Preview& m, const Reader& reader) {
  constexpr int kMaxSide = 16'384, kMaxFrames = 4'097;
  if (m.width < 1 || m.width > kMaxSide) reader.refuse("width", "is not between 1 and 16384");
  if (m.height < 1 || m.height > kMaxSide) reader.refuse("height", "is not between 1 and 16384");
  if (m.frames < 1 || m.frames > kMaxFrames) reader.refuse("frames", "is not between 1 and 4097");
}
template <typename T>
void check(const T&, const Reader&) {}

template <typename T>
bool read_as(const json& object, std::string_view type, std::optional<Message>& out) {
  if (type != TypeName<T>::value) return false;
  Reader reader(object, type);
  T message;
  members(message, reader);
  check(message, reader);
  out = std::move(message);
  return true;
}

template <typename... Ts>
std::optional<Message> read_any(const json& object, std::string_view type, const std::variant<Ts...>*) {
  std::optional<Message> message;
  (void)(read_as<Ts>(object, type, message) || ...);
  return message;
}

}  // namespace

std::string encode(const Message& message) {
  Writer writer;
  std::visit(
      [&](const auto& m) {
        writer("type", std::string(TypeName<std::decay_t<decltype(m)>>::value));
        members(m, writer);
      },
      message);
  if (const auto* preview = std::get_if<Preview>(&message)) writer("memfd", preview->bytes());
  return writer.object.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<Decoded> decode(std::string_view text) {
  RUBATO_TRY(object, parse_json(text, "a message", kFrameLimits, ErrorCode::Corrupt));
  return guard([&]() -> Result<Decoded> {
    const auto type = object.is_object() ? object.find("type") : object.end();
    if (type == object.end() || !type->is_string()) return Error{ErrorCode::Corrupt, "a message has no type"};
    Decoded decoded;
    decoded.memfd = object.contains("memfd");
    decoded.message =
        read_any(object, type->template get_ref<const std::string&>(), static_cast<const Message*>(nullptr));
    if (const auto* preview = decoded.message ? std::get_if<Preview>(&*decoded.message) : nullptr;
        preview != nullptr && (!decoded.memfd || object["memfd"] != preview->bytes()))
      return Error{ErrorCode::Corrupt, "the message 'preview' is damaged: its 'memfd' is not the size of its picture"};
    return decoded;
  });
}

std::string_view job_id(const Message& message) {
  return std::visit(
      [](const auto& m) -> std::string_view {
        if constexpr (requires { m.id; }) return m.id;
        return {};
      },
      message);
}

}  // namespace rubato::protocol
