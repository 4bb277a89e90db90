// Element types of stored tensors, under the names that safetensors files use.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace rubato {

enum class DType { F64, F32, F16, BF16, F8E4M3, F8E5M2, I64, I32, I16, I8, U64, U32, U16, U8, Bool };

// Bytes of one element.
std::size_t size_of(DType dtype);

// "BF16", "F8_E4M3": the spelling inside a safetensors header.
std::string_view dtype_name(DType dtype);
std::optional<DType> dtype_from_name(std::string_view name);

}  // namespace rubato
