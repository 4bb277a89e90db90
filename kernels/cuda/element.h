// The element types that device code is instantiated for, by name: what the glue passes to the launchers.
#pragma once

namespace rubato::kernels::cuda {

enum class Element { F32, F16, BF16 };

}  // namespace rubato::kernels::cuda
