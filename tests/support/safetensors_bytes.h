// Builds safetensors files by hand, so that tests can break them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rubato::test {

// The header's length, the header, and data_bytes zero bytes.
inline std::string safetensors_bytes(std::string_view header, std::size_t data_bytes) {
  std::string file(8, '\0');
  for (std::size_t i = 0; i < 8; ++i)
    file[i] = static_cast<char>(static_cast<std::uint64_t>(header.size()) >> (8 * i) & 0xFF);
  return file + std::string(header) + std::string(data_bytes, '\0');
}

}  // namespace rubato::test
