// The same job, written in as many ways as the readers promise to understand.
#pragma once

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "pipelines/job/video_job.h"

namespace rubato::test {

// A valid job with about half of its optional fields set.
VideoJob random_job(std::mt19937_64& random);

// The object as JSON text: keys in any order, any white space, characters escaped or not, whole numbers also as 5.0.
std::string random_json(const nlohmann::json& object, std::mt19937_64& random);
// As YAML: a block or a flow mapping, texts plain where that is safe, or in either kind of quotes.
std::string random_yaml(const nlohmann::json& object, std::mt19937_64& random);
// As flags in any order, as --name=value, as --name value where the value allows it, and by letter.
std::vector<std::string> random_flags(const VideoJob& job, std::mt19937_64& random);

}  // namespace rubato::test
