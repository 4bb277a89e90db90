#include "engine/sampling/scheduler.h"

namespace rubato {

Result<std::unique_ptr<Scheduler>> make_scheduler(const nlohmann::json& scheduler_config) {
  std::string name = "a file without _class_name";
  if (scheduler_config.is_object() && scheduler_config.contains("_class_name")) {
    const auto& value = scheduler_config["_class_name"];
    if (value.is_string()) name = value.get<std::string>();
  }
  if (name == "FlowMatchEulerDiscreteScheduler") {
    RUBATO_TRY(config, FlowMatchEuler::Config::from_json(scheduler_config));
    return std::unique_ptr<Scheduler>(std::make_unique<FlowMatchEuler>(config));
  }
  if (name == "UniPCMultistepScheduler") {
    RUBATO_TRY(config, UniPcFlow::Config::from_json(scheduler_config));
    return std::unique_ptr<Scheduler>(std::make_unique<UniPcFlow>(config));
  }
  return Error{ErrorCode::ModelUnfit,
               "the scheduler is " + name +
                   ", but FlowMatchEulerDiscreteScheduler and UniPCMultistepScheduler are those that are supported."};
}

}  // namespace rubato
