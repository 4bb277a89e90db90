#include "engine/files/dtype.h"

#include <array>

#include "engine/base/check.h"

namespace rubato {
namespace {

struct Row {
  DType dtype;
  std::string_view name;
  std::size_t bytes;
};

constexpr std::array kRows{
    Row{DType::F64, "F64", 8},   Row{DType::F32, "F32", 4},        Row{DType::F16, "F16", 2},
    Row{DType::BF16, "BF16", 2}, Row{DType::F8E4M3, "F8_E4M3", 1}, Row{DType::F8E5M2, "F8_E5M2", 1},
    Row{DType::I64, "I64", 8},   Row{DType::I32, "I32", 4},        Row{DType::I16, "I16", 2},
    Row{DType::I8, "I8", 1},     Row{DType::U64, "U64", 8},        Row{DType::U32, "U32", 4},
    Row{DType::U16, "U16", 2},   Row{DType::U8, "U8", 1},          Row{DType::Bool, "BOOL", 1},
};

const Row& row(DType dtype) {
  for (const auto& r : kRows)
    if (r.dtype == dtype) return r;
  RUBATO_CHECK(false, "no such dtype");
  return kRows[0];
}

}  // namespace

std::size_t size_of(DType dtype) { return row(dtype).bytes; }

std::string_view dtype_name(DType dtype) { return row(dtype).name; }

std::optional<DType> dtype_from_name(std::string_view name) {
  for (const auto& r : kRows)
    if (r.name == name) return r.dtype;
  return std::nullopt;
}

}  // namespace rubato
