// tokens: the token ids that a model's text encoder gets for a prompt.
#include <fmt/format.h>

#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/output.h"
#include "app/cli/places.h"
#include "engine/base/text.h"
#include "engine/files/pipeline_folder.h"
#include "engine/files/prompt_cleaning.h"
#include "engine/files/tokenizer.h"

namespace rubato::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kMaxTextBytes = 1u << 20;

std::vector<Option> options() {
  return {{.name = "model",
           .letter = 'm',
           .value = "MODEL",
           .help = "Model folder or name, or a tokenizer folder; practice-video if not given",
           .offer = Offer::Models},
          {.name = "text", .value = "TEXT", .help = "The prompt"},
          {.name = "file",
           .value = "FILE",
           .help = "Read the prompt from FILE; - is standard input",
           .offer = Offer::Files},
          {.name = "raw", .help = "Tokenize the text as it is, without the prompt's clean-up"},
          models_dir_option()};
}

// A tokenizer's own folder or file, else the `tokenizer` of a pipeline folder.
Result<std::shared_ptr<const Tokenizer>> load_tokenizer(const std::string& model, const ModelFolders& where) {
  std::error_code failed;
  const fs::path given(model);
  if (fs::is_regular_file(given, failed)) return Tokenizer::load(given);
  for (const auto* name : {"tokenizer.json", "spiece.model"})
    if (fs::exists(given / name, failed)) return Tokenizer::load(given);
  RUBATO_TRY(root, resolve_model(model, where));
  // Only the tokenizer matters here, so missing weights do not.
  std::vector<PipelineFolder::Missing> missing;
  RUBATO_TRY(pipeline, PipelineFolder::open_incomplete(root, missing));
  const auto* tokenizer = pipeline.find("tokenizer");
  if (tokenizer == nullptr)
    return Error{ErrorCode::ModelMissing, fmt::format("{} names no tokenizer in its model_index.json", root.string())};
  return Tokenizer::load(tokenizer->folder, tokenizer->class_name);
}

Result<std::string> text_of(const Arguments& args) {
  if (args.has("text") == args.has("file"))
    return Error{ErrorCode::Usage, "give the prompt with either --text TEXT or --file FILE"};
  if (const auto text = args.value("text")) return *text;
  const auto file = args.value_or("file", "-");
  if (file != "-") return read_file(file, kMaxTextBytes);
  std::string text(std::istreambuf_iterator<char>(std::cin), {});
  if (text.size() > kMaxTextBytes)
    return Error{ErrorCode::CannotRead, "the text on standard input is larger than 1 MiB"};
  return text;
}

Result<> run(const Context& context) {
  RUBATO_TRY(text, text_of(context.args));
  if (!is_valid_utf8(text))
    return Error{ErrorCode::Usage, "the prompt is not valid UTF-8 text; convert it, for example with iconv"};
  RUBATO_TRY(where, model_folders(context.folders, context.args));
  RUBATO_TRY(tokenizer, load_tokenizer(context.args.value_or("model", "practice-video"), where));
  const auto used = context.args.has("raw") ? text : clean_prompt(text);
  const auto ids = tokenizer->encode(used);
  if (!context.args.has("json")) {
    context.out.json_line(ids);
    return {};
  }
  nlohmann::json pieces = nlohmann::json::array();
  for (const auto id : ids) pieces.push_back(std::string(tokenizer->piece(id)));
  context.out.json(
      {{"text", used}, {"ids", ids}, {"pieces", std::move(pieces)}, {"vocabulary", tokenizer->vocab_size()}});
  return {};
}

}  // namespace

const Command kTokens{
    .path = "tokens",
    .summary = "Show the token ids of a prompt",
    .text =
        "Prints the ids as a JSON array, with the closing token and without padding. --json adds the cleaned text and "
        "the pieces.",
    .options = options,
    .prints_json = true,
    .examples = {{"rubato-cli tokens --text 'a red circle moves right'", "Ids for the practice model"}},
    .run = run,
};

}  // namespace rubato::cli
