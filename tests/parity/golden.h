// Reference tensors, and how far from them is still equal.
#pragma once

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/files/safetensors.h"
#include "engine/tensor/state_dict.h"

namespace rubato {

using Tensors = std::map<std::string, at::Tensor>;

inline Tensors golden(const std::filesystem::path& file) {
  auto tensors = read_tensors(file);
  if (!tensors.ok()) throw std::runtime_error(tensors.error().message);
  return std::move(tensors).value();
}

inline std::string golden_metadata(const std::filesystem::path& file, const std::string& key) {
  const auto header = read_safetensors_header(file);
  if (!header.ok()) throw std::runtime_error(header.error().message);
  return header.value().metadata.at(key);
}

// max |got - want| / max |want|; infinite when shapes differ or got is not finite where want is.
inline double relative_error(const at::Tensor& got, const at::Tensor& want) {
  if (got.sizes() != want.sizes()) return std::numeric_limits<double>::infinity();
  if (want.numel() == 0) return 0;
  const at::Tensor g = got.to(at::kCPU, at::kDouble), w = want.to(at::kDouble);
  const double off = (g - w).abs().max().item<double>(), size = w.abs().max().item<double>();
  if (!std::isfinite(off)) return std::numeric_limits<double>::infinity();
  return size > 0 ? off / size : off;
}

// Fails where got is further from want than `most` of the largest reference value. The errors stand in the report that
// --gtest_output=xml writes.
inline void expect_close(const at::Tensor& got, const at::Tensor& want, const std::string& what, double most = 1e-4) {
  const double error = relative_error(got, want);
  char text[16];
  std::snprintf(text, sizeof text, "%.1e", error);
  testing::Test::RecordProperty(what, text);
  EXPECT_LE(error, most) << what << ": got " << got.sizes() << ", want " << want.sizes();
}

// Folders of reference data whose name starts with prefix: those of the repository, and those under the folder
// that RUBATO_PARITY_DATA names, where someone wants to check with data of their own.
inline std::vector<std::filesystem::path> golden_folders(const std::string& prefix) {
  std::vector<std::filesystem::path> roots{RUBATO_TEST_DATA}, found;
  if (const char* more = std::getenv("RUBATO_PARITY_DATA"); more != nullptr) roots.emplace_back(more);
  for (const auto& root : roots) {
    if (!std::filesystem::is_directory(root)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(root)) {
      if (entry.is_directory() && entry.path().filename().string().starts_with(prefix)) found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

inline std::vector<std::filesystem::path> golden_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with("golden")) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

// For INSTANTIATE_TEST_SUITE_P: the folder's name, as a test name.
inline std::string folder_name(const testing::TestParamInfo<std::filesystem::path>& info) {
  std::string name = info.param.filename().string();
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name + "_" + std::to_string(info.index);
}

}  // namespace rubato
