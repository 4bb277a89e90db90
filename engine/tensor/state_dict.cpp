#include "engine/tensor/state_dict.h"

#include <torch/types.h>

#include <cstring>
#include <span>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/files/name_table.h"
#include "engine/files/weight_set.h"

namespace rubato {
namespace {

constexpr std::pair<DType, at::ScalarType> kTypes[] = {{DType::F64, at::kDouble},
                                                       {DType::F32, at::kFloat},
                                                       {DType::F16, at::kHalf},
                                                       {DType::BF16, at::kBFloat16},
                                                       {DType::F8E4M3, at::kFloat8_e4m3fn},
                                                       {DType::F8E5M2, at::kFloat8_e5m2},
                                                       {DType::I64, at::kLong},
                                                       {DType::I32, at::kInt},
                                                       {DType::I16, at::kShort},
                                                       {DType::I8, at::kChar},
                                                       {DType::U64, at::kUInt64},
                                                       {DType::U32, at::kUInt32},
                                                       {DType::U16, at::kUInt16},
                                                       {DType::U8, at::kByte},
                                                       {DType::Bool, at::kBool}};

at::ScalarType scalar_type(DType dtype) {
  for (const auto& [stored, type] : kTypes) {
    if (stored == dtype) return type;
  }
  RUBATO_CHECK(false, "no tensor type for ", dtype_name(dtype));
  return at::kFloat;
}

DType stored_type(at::ScalarType dtype) {
  for (const auto& [stored, type] : kTypes) {
    if (type == dtype) return stored;
  }
  RUBATO_CHECK(false, "safetensors has no type for ", at::toString(dtype));
  return DType::F32;
}

// A tensor over the mapped bytes; the mapping is shared with the tensor's storage.
at::Tensor mapped(const WeightSet::Entry& entry) {
  const auto bytes = entry.bytes();
  const auto options = at::TensorOptions().dtype(scalar_type(entry.info.dtype));
  if (!entry.file->is_aligned(entry.info) || bytes.empty()) {
    at::Tensor copy = at::empty(entry.info.shape, options);
    if (!bytes.empty()) std::memcpy(copy.data_ptr(), bytes.data(), bytes.size());
    return copy;
  }
  // from_blob asks for a pointer to non-const; the mapping is read-only, so a write would fault, not corrupt.
  void* data = const_cast<std::byte*>(bytes.data());
  return at::from_blob(data, entry.info.shape, [file = entry.file](void*) {}, options);
}

}  // namespace

struct StateDict::Contents {
  std::map<std::string, WeightSet::Entry, std::less<>> stored;
  std::map<std::string, at::Tensor, std::less<>> made;
  std::string source;
};

Result<StateDict> StateDict::open(const std::filesystem::path& file_or_folder) {
  RUBATO_TRY(weights, WeightSet::open(file_or_folder));
  std::vector<std::string> names;
  for (const auto& [name, entry] : weights.entries()) names.push_back(name);
  return from(weights, detect_name_table(names), file_or_folder.string());
}

Result<StateDict> StateDict::from(const WeightSet& weights, const NameTable& names, std::string source) {
  auto contents = std::make_shared<Contents>();
  std::vector<std::string> doubled;
  for (const auto& [name, entry] : weights.entries()) {
    std::string ours = names.apply(name);
    if (!contents->stored.emplace(ours, entry).second) doubled.push_back(std::move(ours));
  }
  if (!doubled.empty()) {
    return Error{ErrorCode::ModelUnfit,
                 source + " holds two layouts at once; twice there: " + list_names(doubled) + "."};
  }
  contents->source = std::move(source);
  return StateDict(std::move(contents), "");
}

StateDict StateDict::of(std::map<std::string, at::Tensor> tensors) {
  auto contents = std::make_shared<Contents>();
  for (auto& [name, tensor] : tensors) contents->made.emplace(name, std::move(tensor));
  contents->source = "memory";
  return StateDict(std::move(contents), "");
}

StateDict StateDict::sub(std::string_view prefix) const { return StateDict(contents_, prefix_ + std::string(prefix)); }

std::vector<std::string> StateDict::names() const {
  std::vector<std::string> names;
  const auto gather = [&](const auto& tensors) {
    for (auto at = tensors.lower_bound(prefix_); at != tensors.end() && at->first.starts_with(prefix_); ++at) {
      names.push_back(at->first.substr(prefix_.size()));
    }
  };
  gather(contents_->stored);
  gather(contents_->made);
  return names;
}

bool StateDict::has(std::string_view name) const {
  const std::string full = prefix_ + std::string(name);
  return contents_->stored.contains(full) || contents_->made.contains(full);
}

std::vector<std::int64_t> StateDict::shape(std::string_view name) const {
  const std::string full = prefix_ + std::string(name);
  if (const auto at = contents_->stored.find(full); at != contents_->stored.end()) return at->second.info.shape;
  return get(name).sizes().vec();
}

at::ScalarType StateDict::dtype(std::string_view name) const {
  const std::string full = prefix_ + std::string(name);
  if (const auto at = contents_->stored.find(full); at != contents_->stored.end()) {
    return scalar_type(at->second.info.dtype);
  }
  return get(name).scalar_type();
}

at::Tensor StateDict::get(std::string_view name) const {
  const std::string full = prefix_ + std::string(name);
  if (const auto at = contents_->stored.find(full); at != contents_->stored.end()) return mapped(at->second);
  const auto at = contents_->made.find(full);
  RUBATO_CHECK(at != contents_->made.end(), source(), " has no tensor ", full);
  return at->second;
}

void StateDict::forget(std::string_view name) const {
  const auto at = contents_->stored.find(prefix_ + std::string(name));
  if (at == contents_->stored.end()) return;
  const auto& [file, info] = at->second;
  file->file().forget(info.begin, info.bytes());
}

std::uint64_t StateDict::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& name : names()) {
    const auto at = contents_->stored.find(prefix_ + name);
    sum += at != contents_->stored.end() ? at->second.info.bytes() : get(name).nbytes();
  }
  return sum;
}

const std::string& StateDict::source() const { return contents_->source; }

Result<std::map<std::string, at::Tensor>> read_tensors(const std::filesystem::path& file) {
  RUBATO_TRY(weights, WeightSet::open(file));
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [name, entry] : weights.entries()) tensors.emplace(name, mapped(entry).clone());
  return tensors;
}

Result<> write_tensors(const std::filesystem::path& file, const std::map<std::string, at::Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata, Overwrite overwrite) {
  std::vector<at::Tensor> held;
  std::vector<NamedTensor> named;
  for (const auto& [name, tensor] : tensors) {
    held.push_back(tensor.to(at::kCPU).contiguous());
    const at::Tensor& whole = held.back();
    const std::span<const std::byte> data(static_cast<const std::byte*>(whole.const_data_ptr()), whole.nbytes());
    named.push_back({name, stored_type(whole.scalar_type()), whole.sizes().vec(), data});
  }
  return write_safetensors(file, named, metadata, overwrite);
}

}  // namespace rubato
