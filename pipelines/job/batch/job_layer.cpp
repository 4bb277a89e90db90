#include "pipelines/job/batch/job_layer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/base/text.h"
#include "pipelines/job/field_value.h"

namespace rubato {
namespace {

using Json = nlohmann::json;

// Keys of a job that are not fields of the job struct.
constexpr std::array<std::string_view, 7> kExtras{"version", "kind", "seeds", "after", "priority", "preset", "var"};
constexpr std::array<std::string_view, 6> kKinds{"video", "image", "upscale", "interpolate", "ask", "chat"};
constexpr double kMostPriority = 1e6;

bool is_extra(std::string_view key) { return std::find(kExtras.begin(), kExtras.end(), key) != kExtras.end(); }

std::string shown(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  if (value.is_string()) return fmt::format("'{}'", clip_utf8(value.get_ref<const std::string&>(), 60));
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Reads the keys that are not fields.
class ExtrasReader {
 public:
  ExtrasReader(JobLayer& layer, LayerRole role, Problems& problems) : layer_(layer), role_(role), problems_(problems) {}

  void read(const std::string& key, const Json& value) {
    pointer_ = layer_.pointer + '/' + escape_pointer(key);
    if (key == "version") return read_version(value);
    if (key == "kind") return read_kind(value);
    if (key == "seeds") return read_seeds(value);
    if (key == "priority") return read_priority(value);
    if (key == "preset") return read_preset(value);
    if (key == "after") return read_after(value);
    read_variables(value);
  }

 private:
  void refuse(std::string message) { problems_.add(pointer_, std::move(message)); }

  // Belongs to one job; whoever writes it into a part that many share would get it many times.
  bool own(std::string_view key) {
    if (role_ == LayerRole::Job) return true;
    refuse(fmt::format("'{}' belongs to a job of its own and cannot stand in {}", key,
                       role_ == LayerRole::Defaults ? "the defaults" : "a preset"));
    return false;
  }

  void read_version(const Json& value) {
    if (own("version") && value != kJobVersion)
      refuse(fmt::format("the version is {}; this Rubato reads version {}", shown(value), kJobVersion));
  }

  void read_kind(const Json& value) {
    if (value == Json(VideoJob::kKind)) return;
    const bool known =
        value.is_string() && std::find(kKinds.begin(), kKinds.end(), value.get<std::string>()) != kKinds.end();
    const std::vector<std::string> names(kKinds.begin(), kKinds.end());
    refuse(known ? fmt::format("jobs of kind {} cannot be run from a file yet; this Rubato runs 'video'", shown(value))
                 : fmt::format("the kind is {}; it must be 'video'{}", shown(value),
                               value.is_string() ? did_you_mean(value.get<std::string>(), names) : ""));
  }

  void read_seeds(const Json& value) {
    auto seeds = SeedList::read(value);
    if (seeds.ok())
      layer_.seeds = std::move(*seeds);
    else
      refuse("seeds " + seeds.error().message);
  }

  void read_priority(const Json& value) {
    const double number = value.is_number() ? value.get<double>() : NAN;
    if (std::abs(number) <= kMostPriority)
      layer_.priority = number;
    else
      refuse(fmt::format("priority is {}; it must be a number from -1000000 to 1000000, the higher the earlier",
                         shown(value)));
  }

  void read_preset(const Json& value) {
    if (role_ == LayerRole::Preset) return refuse("a preset cannot be made of another preset");
    if (value.is_string())
      layer_.preset = value.get<std::string>();
    else
      refuse(fmt::format("preset is {}; it must be the name of a preset", shown(value)));
  }

  void read_after(const Json& value) {
    if (!own("after")) return;
    std::vector<std::string> ids;
    const Json list = value.is_array() ? value : Json::array({value});
    for (const auto& item : list) {
      if (!item.is_string()) return refuse(fmt::format("after has {}; it must be ids of jobs", shown(item)));
      std::string text = item.get<std::string>();
      std::replace(text.begin(), text.end(), ',', ' ');
      for (const auto& id : split(text, ' '))
        if (!id.empty()) ids.push_back(id);
    }
    layer_.after = std::move(ids);
  }

  void read_variables(const Json& value) {
    if (!value.is_object()) return refuse("var must be an object: var: {look: day}");
    for (const auto& [name, item] : value.items()) {
      const std::string pointer = pointer_ + '/' + escape_pointer(name);
      const auto text = variable_text(item);
      if (!is_variable_name(name))
        problems_.add(pointer,
                      fmt::format("'{}' cannot be the name of a variable; it takes letters, digits, '_' and '-'",
                                  clip_utf8(name, 80)));
      else if (!text)
        problems_.add(pointer, fmt::format("the variable '{}' is {}; it must be a number or a text without NUL", name,
                                           shown(item)));
      else
        layer_.variables[name] = *text;
    }
  }

  JobLayer& layer_;
  LayerRole role_;
  Problems& problems_;
  std::string pointer_;
};

// Puts `value` under the path of a dotted key; false when something else is there already.
bool put(Json& object, std::string_view key, Json value) {
  const auto dot = key.find('.');
  Json& member = object[std::string(key.substr(0, dot))];
  if (dot == std::string_view::npos) {
    if (!member.is_null()) return false;
    member = std::move(value);
    return true;
  }
  if (member.is_null()) member = Json::object();
  return member.is_object() && put(member, key.substr(dot + 1), std::move(value));
}

}  // namespace

std::string escape_pointer(std::string_view key) {
  std::string escaped;
  for (const char c : key) escaped += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return escaped;
}

bool is_job_field(std::string_view name) {
  static const std::vector<std::string> kNames = [] {
    VideoJob job;
    std::vector<std::string> names;
    for (const auto& field : fields_of(job)) names.emplace_back(field.name);
    return names;
  }();
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

const std::vector<std::string>& job_keys() {
  static const std::vector<std::string> kKeys = [] {
    std::vector<std::string> keys(kExtras.begin(), kExtras.end());
    VideoJob job;
    for (const auto& field : fields_of(job)) {
      keys.emplace_back(field.name);
      PolicyRef* policy = detail::policy_of(field);
      if (policy == nullptr) continue;
      keys.push_back(keys.back() + ".method");
      for (std::size_t i = 0; i < policy->methods().size(); ++i) {
        policy->choose(i);
        for (const auto& knob : policy->knobs()) {
          auto key = fmt::format("{}.{}", field.name, knob.name);
          if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(std::move(key));
        }
      }
    }
    return keys;
  }();
  return kKeys;
}

std::string job_key_fault(std::string_view key) {
  if (key.starts_with("var.") && is_variable_name(key.substr(4))) return {};
  const auto& keys = job_keys();
  if (std::find(keys.begin(), keys.end(), key) != keys.end()) return {};
  std::string hint;
  if (key == "width" || key == "height") hint = "; did you mean 'size', such as 832x480?";
  if (key == "cfg" || key == "guidance_scale") hint = "; did you mean 'guidance'?";
  if (key == "num_frames") hint = "; did you mean 'frames'?";
  return fmt::format("unknown key '{}'{}", clip_utf8(key, 80), hint.empty() ? did_you_mean(key, keys) : hint);
}

std::optional<std::string> variable_text(const Json& value) {
  if (value.is_string()) {
    auto text = value.get<std::string>();
    return text.find('\0') == std::string::npos ? std::optional(std::move(text)) : std::nullopt;
  }
  if (value.is_number() || value.is_boolean()) return value.dump();
  return std::nullopt;
}

Json nest_dotted_keys(const Json& object, const std::string& pointer, SourceMap& where, Problems& problems) {
  const auto dotted = [](const auto& item) { return item.key().find('.') != std::string::npos; };
  const auto items = object.items();
  if (std::none_of(items.begin(), items.end(), dotted)) return object;
  Json nested = Json::object();
  for (const auto& item : items)
    if (!dotted(item)) nested[item.key()] = item.value();
  for (const auto& item : items) {
    if (!dotted(item)) continue;
    const auto& key = item.key();
    const std::string from = pointer + '/' + escape_pointer(key);
    std::string to = from;
    std::replace(to.begin() + static_cast<std::ptrdiff_t>(pointer.size()), to.end(), '.', '/');
    if (const auto place = where.find(from); place != where.end()) {
      where.emplace(to, place->second);
      where.emplace(to.substr(0, to.find('/', pointer.size() + 1)), place->second);  // "/rate" of "/rate/keep"
    }
    if (const auto fault = job_key_fault(key); !fault.empty() && !key.starts_with("var."))
      problems.add(from, fault);
    else if (!put(nested, key, item.value()))
      problems.add(from, fmt::format("the key '{}' says a second time what another key says", clip_utf8(key, 80)));
  }
  return nested;
}

JobLayer read_layer(const Json& object, const std::string& pointer, LayerRole role, SourceMap& where,
                    Problems& problems) {
  JobLayer layer;
  layer.pointer = pointer;
  if (object.is_null() && role != LayerRole::Job) return layer;  // `defaults:` with nothing behind it
  if (!object.is_object()) {
    problems.add(pointer, role == LayerRole::Defaults ? "the defaults must be an object with keys and values"
                          : role == LayerRole::Preset ? "a preset must be an object with keys and values"
                                                      : "a job must be an object with keys and values");
    return layer;
  }
  ExtrasReader extras(layer, role, problems);
  const Json members = nest_dotted_keys(object, pointer, where, problems);
  for (const auto& [key, value] : members.items()) {
    if (value.is_null()) {
      if (auto fault = job_key_fault(key); !fault.empty())
        problems.add(pointer + '/' + escape_pointer(key), std::move(fault));
    } else if (is_extra(key)) {
      extras.read(key, value);
    } else if (key == "id" && role != LayerRole::Job) {
      problems.add(pointer + "/id", "every job has an id of its own; it cannot stand here");
    } else if (is_job_field(key)) {
      layer.fields[key] = value;
    } else {
      problems.add(pointer + '/' + escape_pointer(key), job_key_fault(key));
    }
  }
  if (layer.seeds && layer.fields.contains("seed"))
    problems.add(pointer + "/seeds", "a job takes either seed or seeds, not both");
  return layer;
}

void apply_fields(VideoJob& job, const Json& fields, const std::string& pointer, Problems& problems) {
  const Fields refs = fields_of(job);
  bool partial = false;
  for (const auto& [key, value] : fields.items()) partial |= value.is_object() && !value.contains("method");
  if (!partial) return read_fields(refs, "", fields, problems, pointer);
  Json whole = fields;
  for (const auto& ref : refs) {
    const auto given = whole.find(std::string(ref.name));
    if (given == whole.end() || !given->is_object() || given->contains("method") || detail::policy_of(ref) == nullptr)
      continue;
    Json merged = detail::value_of(ref);
    merged.update(*given);
    *given = std::move(merged);
  }
  read_fields(refs, "", whole, problems, pointer);
}

}  // namespace rubato
