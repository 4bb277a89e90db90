#include "engine/models/component_folder.h"

#include "engine/base/files.h"
#include "engine/base/json.h"

namespace rubato {

Result<nlohmann::json> read_component_config(const std::filesystem::path& file) {
  RUBATO_TRY(text, read_file(file, JsonLimits{}.max_bytes));
  return parse_json(text, file.string(), {}, ErrorCode::ModelUnfit);
}

}  // namespace rubato
