#include "pipelines/media/png_encode.h"

#include <fmt/format.h>
#include <png.h>
#include <zlib.h>

#include <vector>

#include "engine/base/check.h"

namespace rubato {
namespace {

constexpr std::size_t kSignatureAndHeader = 8 + 25;  // IHDR is always first and has 13 bytes

std::string big_endian(std::uint32_t n) {
  return {static_cast<char>(n >> 24), static_cast<char>(n >> 16 & 255), static_cast<char>(n >> 8 & 255),
          static_cast<char>(n & 255)};
}

std::string deflated(std::string_view text) {
  uLongf size = compressBound(text.size());
  std::string out(size, '\0');
  const int code = compress2(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(text.data()),
                             text.size(), 9);
  RUBATO_CHECK(code == Z_OK, "zlib ", code);
  out.resize(size);
  return out;
}

// An international text chunk: keyword, compressed, no language, no translated keyword, UTF-8.
std::string itxt(std::string_view keyword, std::string_view text) {
  std::string body = "iTXt";
  body += keyword;
  body += std::string_view("\0\1\0\0\0", 5);
  body += deflated(text);
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(static_cast<std::uint32_t>(body.size() - 4)) + body + big_endian(static_cast<std::uint32_t>(crc));
}

}  // namespace

Result<std::string> encode_png(std::span<const std::uint8_t> rgb24, int width, int height) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = PNG_FORMAT_RGB;
  std::string bytes(PNG_IMAGE_PNG_SIZE_MAX(image), '\0');
  png_alloc_size_t size = bytes.size();
  if (png_image_write_to_memory(&image, bytes.data(), &size, /*convert_to_8bit=*/0, rgb24.data(), /*row_stride=*/0,
                                nullptr) == 0)
    return Error{ErrorCode::Failed, fmt::format("the PNG encoder failed: {}", image.message)};
  bytes.resize(size);
  return bytes;
}

std::string with_text(std::string png, const Metadata& metadata) {
  RUBATO_CHECK(png.size() > kSignatureAndHeader);
  std::string chunks;
  if (!metadata.comment.empty()) chunks += itxt("Comment", metadata.comment);
  if (!metadata.json.empty()) chunks += itxt("rubato", metadata.json);
  return png.insert(kSignatureAndHeader, chunks);
}

}  // namespace rubato
