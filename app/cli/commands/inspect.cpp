// inspect: how a file was made, and the job that makes it again.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "app/cli/command.h"
#include "app/cli/output.h"
#include "app/cli/places.h"
#include "engine/base/text.h"
#include "pipelines/job/media_file.h"
#include "pipelines/job/yaml.h"

namespace rubato::cli {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

std::vector<Option> options() {
  return {
      {.name = "job", .help = "Print the job alone, as a YAML file that 'gen video --job' takes (JSON with --json)"},
      models_dir_option()};
}

// The text of a member that may be anything: metadata comes from outside.
std::string text_at(const json& object, std::initializer_list<const char*> path) {
  const json* here = &object;
  for (const auto* key : path) {
    if (!here->is_object() || !here->contains(key)) return {};
    here = &(*here)[key];
  }
  return here->is_string() ? here->get<std::string>() : here->is_null() ? std::string{} : here->dump();
}

std::string seconds_text(const json& metadata) {
  if (!metadata.contains("seconds") || !metadata["seconds"].is_object()) return {};
  double total = 0;
  std::string parts;
  const auto add = [&](const std::string& phase, const json& s) {
    if (!s.is_number()) return;
    total += s.get<double>();
    parts += fmt::format("{}{} {:.1f}", parts.empty() ? "" : ", ", phase, s.get<double>());
  };
  // In the order of a render; JSON keeps the order of the alphabet.
  const std::vector<std::string> usual{"load", "text", "denoise", "decode", "mux"};
  const auto& seconds = metadata["seconds"];
  for (const auto& phase : usual)
    if (seconds.contains(phase)) add(phase, seconds[phase]);
  for (const auto& [phase, s] : seconds.items())
    if (std::find(usual.begin(), usual.end(), phase) == usual.end()) add(phase, s);
  return fmt::format("{:.1f} s ({})", total, parts);
}

std::string media_text(const json& m) {
  const auto number = [&](const char* key) {
    return m.contains(key) && m[key].is_number() ? m[key].get<double>() : 0.0;
  };
  const double rate = number("fps_den") > 0 ? number("fps_num") / number("fps_den") : 0;
  auto text = fmt::format("{} in {}, {}x{}", text_at(m, {"codec"}), text_at(m, {"container"}), text_at(m, {"width"}),
                          text_at(m, {"height"}));
  if (number("frames") > 1) text += fmt::format(", {} frames", text_at(m, {"frames"}));
  if (rate > 0) text += fmt::format(", {:g} fps, {:.2f} s", rate, number("duration_s"));
  return text + fmt::format(", {}", human_bytes(static_cast<std::uint64_t>(number("bytes"))));
}

std::string tensors_text(const SafetensorsHeader& header) {
  Table table({"TENSOR", "TYPE", "SHAPE", "BYTES"});
  for (const auto& [name, info] : header.tensors)
    table.add({name, std::string(dtype_name(info.dtype)), fmt::format("[{}]", fmt::join(info.shape, ", ")),
               human_bytes(info.bytes())});
  return table.text();
}

void print_for_people(const fs::path& file, const FileFacts& facts, Output& out) {
  const auto& m = facts.metadata;
  const auto line = [&](std::string_view label, const std::string& text) {
    if (!text.empty()) out.result(printable(fmt::format("{:<10}{}", label, text)));
  };
  line("file", file.string());
  if (facts.clip != file) line(facts.source == "sidecar" ? "beside" : "one of", facts.clip.string());
  if (!facts.media.is_null()) line("media", media_text(facts.media));
  if (!m.is_null()) {
    const auto job = [&](const char* key) { return text_at(m, {"job", key}); };
    line("made by",
         fmt::format("Rubato {} ({})", text_at(m, {"rubato", "version"}), text_at(m, {"rubato", "revision"})));
    line("prompt", job("prompt"));
    line("without", job("negative_prompt"));
    line("model", text_at(m, {"model", "name"}) + (text_at(m, {"model", "practice"}) == "true" ? " (practice)" : ""));
    line("hash", text_at(m, {"model", "content_hash"}));
    line("clip", fmt::format("{} frame{} of {} at {} fps", job("frames"), job("frames") == "1" ? "" : "s", job("size"),
                             job("fps")));
    line("sampling", fmt::format("steps {}, guidance {}, seed {}", job("steps"), job("guidance"), job("seed")));
    line("device",
         fmt::format("{} ({}), {}", text_at(m, {"device", "name"}), text_at(m, {"device", "model"}), job("dtype")));
    line("time", seconds_text(m));
    line("frames", text_at(m, {"frames_sha256"}));
  }
  if (facts.tensors) {
    if (!m.is_null()) out.result("");
    out.result(tensors_text(*facts.tensors));
  }
}

Result<> print_job(const Context& context, const fs::path& file, const FileFacts& facts) {
  if (facts.metadata.is_null()) return Error{ErrorCode::CannotRead, facts.no_metadata};
  RUBATO_TRY(where, model_folders(context.folders, context.args));
  RUBATO_TRY(job, recorded_job(facts.metadata, file.string(), where));
  auto object = video_job_to_json(job);
  object.erase("overwrite");
  if (context.args.has("json")) {
    context.out.json(object);
    return {};
  }
  std::string text = fmt::format("# The job that made {}. Again: rubato-cli gen video --job THIS -o OTHER{}\n",
                                 file.filename().string(), file.extension().string());
  text += to_yaml(object);
  context.out.result(text.substr(0, text.size() - 1));
  return {};
}

Result<> run(const Context& context) {
  const fs::path file = context.args.positionals()[0];
  RUBATO_TRY(facts, look_at(file));
  if (context.args.has("job")) return print_job(context, file, facts);
  if (!context.args.has("json")) {
    print_for_people(file, facts, context.out);
    if (!facts.no_metadata.empty() && !facts.tensors) context.out.say(facts.no_metadata);
    return {};
  }
  json all{{"file", file.string()},
           {"clip", facts.clip.string()},
           {"metadata", facts.metadata},
           {"source", facts.source},
           {"media", facts.media}};
  if (facts.tensors) {
    json tensors = json::object();
    for (const auto& [name, info] : facts.tensors->tensors)
      tensors[name] = {{"dtype", dtype_name(info.dtype)}, {"shape", info.shape}, {"bytes", info.bytes()}};
    all["tensors"] = std::move(tensors);
    all["header_metadata"] = facts.tensors->metadata;
    all["header_metadata"].erase("rubato");
  }
  context.out.json(all);
  return {};
}

}  // namespace

const Command kInspect{
    .path = "inspect",
    .summary = "Show how a file was made",
    .text =
        "Reads the metadata inside a clip or picture, or the file OUT.json beside it. Safetensors files: the tensors "
        "in the header. "
        "Nothing that a file names is opened or run.",
    .options = options,
    .positionals = {{.name = "FILE",
                     .help = "A clip, picture or safetensors file; frames by their folder, their pattern "
                             "(shot_####.png), or any one of them",
                     .offer = Offer::Files}},
    .prints_json = true,
    .examples = {{"rubato-cli inspect clip.mp4", "Prompt, model, seed, device, times"},
                 {"rubato-cli inspect --job clip.mp4 > job.yaml", "The job, for 'gen video --job job.yaml'"}},
    .run = run,
};

}  // namespace rubato::cli
