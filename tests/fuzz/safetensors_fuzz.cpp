// The header of a safetensors file: whatever the bytes, the reader answers and what it accepts keeps its promises.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "engine/files/safetensors.h"
#include "engine/files/weight_facts.h"
#include "engine/files/weight_kind.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// Every accepted tensor lies inside the data, has the size of its shape, and together they cover the data once.
void check(const rubato::SafetensorsHeader& header, std::uint64_t file_size) {
  std::uint64_t covered = 0;
  for (const auto& [name, info] : header.tensors) {
    require(info.begin >= header.data_begin && info.begin <= info.end && info.end <= file_size);
    std::uint64_t bytes = rubato::size_of(info.dtype);
    for (const auto extent : info.shape) {
      require(extent >= 0);
      bytes *= static_cast<std::uint64_t>(extent);
    }
    require(bytes == info.bytes());
    covered += bytes;
  }
  require(covered == file_size - header.data_begin);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto kind = rubato::sniff_weights(bytes.first(std::min<std::size_t>(size, 512)));
  const auto file = rubato::parse_safetensors_header(bytes, size, "fuzz");
  if (file.ok()) {
    require(kind == rubato::WeightKind::Safetensors || size <= 10);
    check(*file, size);
    static_cast<void>(rubato::describe_weights(*file));
  } else {
    require(!file.error().message.empty() && file.error().message.size() < 8192);
  }
  // The same bytes as a bare header, so that a mutation need not keep the length field right.
  if (size > 0 && size <= 1u << 16) {
    std::string whole(8, '\0');
    for (std::size_t i = 0; i < 8; ++i)
      whole[i] = static_cast<char>(static_cast<std::uint64_t>(size) >> (8 * i) & 0xFF);
    whole.append(reinterpret_cast<const char*>(data), size);
    const std::uint64_t file_size = whole.size() + 24;
    const auto bare =
        rubato::parse_safetensors_header(std::as_bytes(std::span(whole.data(), whole.size())), file_size, "fuzz");
    if (bare.ok()) check(*bare, file_size);
  }
  return 0;
}
