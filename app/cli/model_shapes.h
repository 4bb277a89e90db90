// Do a component's weights fit its configuration? Compares the shapes that config.json implies with those in the
// headers of the weight files; no tensor data is read. The engine checks every tensor when it loads; this finds a
// mixed-up or incomplete download in milliseconds.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "engine/files/weight_set.h"

namespace rubato::cli {

// One line a problem: "blocks.3.attn1.to_q.weight is [320, 256], config.json makes it [320, 320]". Empty when all
// agree, and for classes that are not known here (`known` says which).
std::vector<std::string> check_shapes(std::string_view class_name, const nlohmann::json& config,
                                      const WeightSet& weights, bool& known);

}  // namespace rubato::cli
