#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "pipelines/media/container_tags.h"

namespace rubato {
namespace {
constexpr std::uint64_t kWindow = 16u << 10;
}

ByteSource ByteSource::memory(std::span<const std::uint8_t> bytes) {
  return {bytes.size(), [bytes](std::uint64_t offset, std::span<std::uint8_t> out) {
            if (offset > bytes.size() || out.size() > bytes.size() - offset) return false;
            std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
            return true;
          }};
}

ByteSource ByteSource::descriptor(int fd, std::uint64_t size) {
  return {size, [fd](std::uint64_t offset, std::span<std::uint8_t> out) {
            while (!out.empty()) {
              const ssize_t got = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
              if (got < 0 && errno == EINTR) continue;
              if (got <= 0) return false;
              offset += static_cast<std::uint64_t>(got);
              out = out.subspan(static_cast<std::size_t>(got));
            }
            return true;
          }};
}

bool ByteSource::get(std::uint64_t offset, std::span<std::uint8_t> out) {
  if (offset > size_ || out.size() > size_ - offset) return false;
  if (out.size() > kWindow) return read_(offset, out);
  if (offset < window_at_ || offset + out.size() > window_at_ + window_.size()) {
    window_at_ = offset;
    window_.resize(static_cast<std::size_t>(std::min(kWindow, size_ - offset)));
    if (!read_(offset, window_)) {
      window_.clear();
      return false;
    }
  }
  std::copy_n(window_.begin() + static_cast<std::ptrdiff_t>(offset - window_at_), out.size(), out.begin());
  return true;
}

std::optional<std::string> ByteSource::text(std::uint64_t offset, std::uint64_t length, std::uint64_t max_length) {
  if (length > max_length || offset > size_ || length > size_ - offset) return std::nullopt;
  std::string out(static_cast<std::size_t>(length), '\0');
  if (!get(offset, std::span(reinterpret_cast<std::uint8_t*>(out.data()), out.size()))) return std::nullopt;
  return out;
}

std::optional<std::uint8_t> ByteSource::u8(std::uint64_t offset) {
  std::uint8_t byte = 0;
  if (!get(offset, std::span(&byte, 1))) return std::nullopt;
  return byte;
}

std::optional<std::uint32_t> ByteSource::u32_be(std::uint64_t offset) {
  std::uint8_t b[4];
  if (!get(offset, b)) return std::nullopt;
  return static_cast<std::uint32_t>(b[0]) << 24 | static_cast<std::uint32_t>(b[1]) << 16 |
         static_cast<std::uint32_t>(b[2]) << 8 | b[3];
}

std::optional<std::uint32_t> ByteSource::u32_le(std::uint64_t offset) {
  const auto n = u32_be(offset);
  if (!n) return std::nullopt;
  return __builtin_bswap32(*n);
}

std::optional<std::uint64_t> ByteSource::u64_be(std::uint64_t offset) {
  const auto high = u32_be(offset);
  const auto low = u32_be(offset + 4);
  if (!high || !low) return std::nullopt;
  return static_cast<std::uint64_t>(*high) << 32 | *low;
}

}  // namespace rubato
