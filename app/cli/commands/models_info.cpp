// models info: what a model is made of, its defaults, and prompts that work.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/cli/models.h"
#include "app/cli/places.h"
#include "engine/base/text.h"
#include "engine/files/model_card.h"
#include "engine/files/safetensors.h"
#include "engine/files/weight_set.h"
#include "pipelines/job/memory_forecast.h"

namespace rubato::cli {
namespace {

using nlohmann::json;

struct Contents {
  std::uint64_t parameters = 0;
  std::map<std::string, std::uint64_t> bytes_by_type;  // "F16" -> bytes
};

// From the headers alone. A part without weights (scheduler, tokenizer) has none.
Result<Contents> contents_of(const ModelPart& part) {
  Contents contents;
  if (part.weight_bytes == 0) return contents;
  RUBATO_TRY(files, find_weights(part.path));
  for (const auto& file : files.files) {
    RUBATO_TRY(header, read_safetensors_header(file));
    for (const auto& [name, info] : header.tensors) {
      contents.parameters += info.bytes() / size_of(info.dtype);
      contents.bytes_by_type[std::string(dtype_name(info.dtype))] += info.bytes();
    }
  }
  return contents;
}

std::string count_text(std::uint64_t n) {
  const auto value = static_cast<double>(n);
  if (n >= 1'000'000'000) return fmt::format("{:.2f} B", value / 1e9);
  if (n >= 1'000'000) return fmt::format("{:.2f} M", value / 1e6);
  return fmt::format("{}", n);
}

std::string types_text(const Contents& contents) {
  std::string text;
  for (const auto& [type, bytes] : contents.bytes_by_type) text += (text.empty() ? "" : ", ") + type;
  return text;
}

void print_card(const ModelCard& card, Output& out) {
  const auto line = [&](std::string_view label, const std::string& text) {
    if (!text.empty()) out.result(printable(fmt::format("{:<10}{}", label, text)));
  };
  line("about", card.description);
  for (const auto& limit : card.limits) line("limit", limit);
  std::string defaults;
  for (const auto& [key, value] : card.defaults.all.items())
    defaults += fmt::format("{}{} {}", defaults.empty() ? "" : ", ", key,
                            value.is_string() ? value.get<std::string>() : value.dump());
  line("defaults", defaults);
  for (const auto& prompt : card.prompts) line("prompt", prompt);
  line("words", join(card.words, " "));
}

// What is shown is true, but it cannot be rendered with: ModelMissing or ModelUnfit says why.
Result<> soundness(const ModelEntry& model) {
  if (model.complete()) return {};
  std::vector<std::string> lacks;
  for (const auto& part : model.parts)
    if (!part.missing.empty()) lacks.push_back(part.lack());
  const auto code = lacks.empty() ? ErrorCode::ModelUnfit : ErrorCode::ModelMissing;
  lacks.insert(lacks.end(), model.problems.begin(), model.problems.end());
  return Error{code, fmt::format("{} cannot be used: {}", model.name, join(lacks, "; "))};
}

// What its usual clip takes here; nothing for a folder that no clip can be made with.
std::optional<std::pair<VideoJob, MemoryForecast>> usual_clip(const std::filesystem::path& root) {
  const auto model = open_video_model(root);
  if (!model) return std::nullopt;
  const auto job = resolve_video_job({}, *model);
  if (!job) return std::nullopt;
  const auto forecast = forecast_memory(*model, *job, memory_available(*job));
  if (!forecast) return std::nullopt;
  return std::pair{*job, *forecast};
}

Result<> run(const Context& context) {
  RUBATO_TRY(where, model_folders(context.folders, context.args));
  RUBATO_TRY(model, find_model(context.args.positionals()[0], where));
  RUBATO_TRY(card, ModelCard::load(model.root));

  auto report = to_json(model);
  Table table({"PART", "PARAMETERS", "TYPE", "SIZE", "WHERE"});
  for (std::size_t i = 0; i < model.parts.size(); ++i) {
    const auto& part = model.parts[i];
    if (!part.missing.empty()) {
      table.add({part.name, "", "", "", part.missing});
      continue;
    }
    const auto contents = contents_of(part);
    if (!contents) {
      table.add({part.name, "", "", human_bytes(part.weight_bytes), "damaged: " + contents.error().message});
      continue;
    }
    const bool weights = contents->parameters > 0;
    table.add({part.name, weights ? count_text(contents->parameters) : "", types_text(*contents),
               weights ? human_bytes(part.weight_bytes) : "", part.path.string()});
    if (!weights) continue;
    report["parts"][i]["parameters"] = contents->parameters;
    for (const auto& [type, bytes] : contents->bytes_by_type) report["parts"][i]["types"][type] = bytes;
  }
  const auto usual = usual_clip(model.root);
  if (context.args.has("json")) {
    if (usual) report["memory"] = to_json(usual->second);
    if (card)
      report["card"] = {{"title", card->title},     {"description", card->description}, {"limits", card->limits},
                        {"prompts", card->prompts}, {"defaults", card->defaults.all},   {"grammar", card->grammar},
                        {"words", card->words}};
    context.out.json(report);
    return soundness(model);
  }
  context.out.result(printable(fmt::format("{:<10}{}{}", "model", model.title.empty() ? model.name : model.title,
                                           model.practice ? " (a practice model)" : "")));
  context.out.result(printable(fmt::format("{:<10}{}", "name", model.name)));
  context.out.result(printable(fmt::format("{:<10}{}", "folder", model.root.string())));
  context.out.result(printable(fmt::format("{:<10}{}, {}", "state", state_text(model), human_bytes(model.bytes))));
  if (usual)
    context.out.result(
        printable(fmt::format("{:<10}{} frames of {}x{}: {}", "memory", *usual->first.frames, usual->first.size->width,
                              usual->first.size->height, usual->second.sentence)));
  if (card) print_card(*card, context.out);
  context.out.result("\n" + table.text());
  return soundness(model);
}

}  // namespace

const Command kModelsInfo{
    .path = "models info",
    .summary = "Show what a model is made of, its defaults and prompts that work",
    .options = [] { return std::vector<Option>{models_dir_option()}; },
    .positionals = {{.name = "MODEL", .help = "The name or folder of a model", .offer = Offer::Models}},
    .prints_json = true,
    .run = run,
};

}  // namespace rubato::cli
