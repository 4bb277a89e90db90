// PNG text chunks: tEXt, zTXt and iTXt named "rubato" or "Comment", inflated under a bound.
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <string_view>

#include "pipelines/media/container_tags.h"
#include "pipelines/media/container_writer.h"

namespace rubato {
namespace {

constexpr int kMaxChunks = 1'000'000;
constexpr std::size_t kMaxRatio = 100;         // JSON rarely shrinks more than 20 times
constexpr std::size_t kSmallText = 64u << 10;  // short texts may repeat as they like

Error corrupt_png(std::string_view what) {
  return {ErrorCode::Corrupt, fmt::format("the PNG metadata is damaged: {}", what)};
}

Result<std::string> inflated(std::string_view deflated) {
  const std::size_t limit = std::min(kMaxPngText, kSmallText + kMaxRatio * deflated.size());
  std::string out;
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return Error{ErrorCode::OutOfMemory, "not enough memory to read PNG metadata"};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(deflated.data()));
  stream.avail_in = static_cast<uInt>(deflated.size());
  int code = Z_OK;
  while (code == Z_OK && out.size() <= limit) {
    const std::size_t had = out.size();
    out.resize(std::min(limit + 1, had + (64u << 10)));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + had);
    stream.avail_out = static_cast<uInt>(out.size() - had);
    code = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (out.size() > limit)
    return corrupt_png(fmt::format("a text of {} bytes inflates beyond {}", deflated.size(), limit));
  if (code != Z_STREAM_END) return corrupt_png("a compressed text is cut off or broken");
  return out;
}

// Splits at the next NUL; nothing if there is none.
std::optional<std::string_view> take_until_nul(std::string_view& rest) {
  const auto end = rest.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  const auto part = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return part;
}

// The text after the keyword of a chunk of this type.
Result<std::string> chunk_text(std::string_view type, std::string_view rest) {
  if (type == "tEXt") return std::string(rest);
  if (type == "zTXt") {
    if (rest.empty() || rest[0] != 0) return corrupt_png("an unknown compression method");
    return inflated(rest.substr(1));
  }
  if (rest.size() < 2) return corrupt_png("an international text is cut off");
  const bool compressed = rest[0] == 1;
  if (compressed && rest[1] != 0) return corrupt_png("an unknown compression method");
  rest.remove_prefix(2);
  if (!take_until_nul(rest) || !take_until_nul(rest)) return corrupt_png("an international text is cut off");
  if (compressed) return inflated(rest);
  return std::string(rest);
}

}  // namespace

Result<ContainerTags> png_tags(ByteSource& source) {
  ContainerTags tags;
  std::uint64_t at = 8;
  for (int i = 0; i < kMaxChunks; ++i) {
    const auto length = source.u32_be(at);
    const auto type = source.text(at + 4, 4, 4);
    if (!length || !type || *type == "IEND") break;
    if (*type == "tEXt" || *type == "zTXt" || *type == "iTXt") {
      // The keyword first: other programs' texts are of no interest, whatever their size.
      const auto head = source.text(at + 8, std::min<std::uint64_t>(*length, 80), 80);
      if (!head) return corrupt_png("a text chunk is cut off");
      std::string_view peek = *head;
      const auto keyword = take_until_nul(peek);
      const bool job = keyword && *keyword == "rubato";
      if (job || (keyword && *keyword == "Comment")) {
        const auto chunk = source.text(at + 4, 4 + static_cast<std::uint64_t>(*length), 4 + kMaxPngText);
        const auto crc = source.u32_be(at + 8 + *length);
        if (!chunk || !crc) return corrupt_png("a text chunk is larger than 4 MiB or cut off");
        const auto sum = crc32(0, reinterpret_cast<const Bytef*>(chunk->data()), static_cast<uInt>(chunk->size()));
        if (sum != *crc) return corrupt_png("a checksum does not match");
        std::string_view rest = *chunk;
        rest.remove_prefix(4 + keyword->size() + 1);
        RUBATO_TRY(text, chunk_text(*type, rest));
        if (job) {
          tags.rubato = std::move(text);
        } else {
          tags.comment = std::move(text);
        }
      }
    }
    at += 12 + static_cast<std::uint64_t>(*length);
  }
  return tags;
}

}  // namespace rubato
