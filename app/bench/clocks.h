// Clocks, power and temperature of a CUDA device as its driver reports them (NVML). Read only.
#pragma once

#include <nlohmann/json.hpp>

namespace rubato::bench {

// Empty where the driver's library is not there.
nlohmann::json clocks(int device_index);

}  // namespace rubato::bench
