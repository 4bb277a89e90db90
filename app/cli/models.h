// What the models commands share: one scan of the user's folders and of the practice models, and how an entry reads.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "app/cli/command.h"
#include "app/cli/output.h"
#include "engine/files/model_scan.h"

namespace rubato::cli {

// All models of `where`, those of the resources included.
ModelScan scan_all(const ModelFolders& where);

nlohmann::json to_json(const ModelEntry& model);
nlohmann::json to_json(const ModelScan& scan);

// "complete", or "text_encoder, vae missing"
std::string state_text(const ModelEntry& model);
// name, kind, size, state, where
Table model_table(const ModelScan& scan);

// The entry with this name, or the one whose folder this path is. ModelMissing with the nearest name.
Result<ModelEntry> find_model(const std::string& name_or_path, const ModelFolders& where);

}  // namespace rubato::cli
