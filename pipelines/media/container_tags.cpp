#include "pipelines/media/container_tags.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "pipelines/media/container_writer.h"
#include "pipelines/media/tag_text.h"

namespace rubato {
namespace {

constexpr int kMaxParts = 1'000'000;  // boxes, elements or blocks visited in one file

Error corrupt_tags(std::string_view what) {
  return {ErrorCode::Corrupt, fmt::format("the metadata is damaged: {}", what)};
}

Result<> keep(ContainerTags& tags, std::string_view key, std::string text) {
  if (key == "rubato") {
    tags.rubato = std::move(text);
  } else if (key == "comment") {
    tags.comment = std::move(text);
  }
  return {};
}

// ---- MP4: boxes of (size, type), nested; moov / meta holds `keys` (names) and `ilst` (values by number).

struct Box {
  std::uint64_t begin = 0, end = 0;  // of the content
  std::uint32_t type = 0;
};

constexpr std::uint32_t fourcc(std::string_view name) {
  return static_cast<std::uint32_t>(static_cast<unsigned char>(name[0])) << 24 |
         static_cast<std::uint32_t>(static_cast<unsigned char>(name[1])) << 16 |
         static_cast<std::uint32_t>(static_cast<unsigned char>(name[2])) << 8 | static_cast<unsigned char>(name[3]);
}

// The box at `at`, which must end by `end`; nothing if there is none.
std::optional<Box> box_at(ByteSource& source, std::uint64_t at, std::uint64_t end) {
  if (end < 8 || at > end - 8) return std::nullopt;
  const auto size = source.u32_be(at);
  const auto type = source.u32_be(at + 4);
  if (!size || !type) return std::nullopt;
  std::uint64_t bytes = *size, header = 8;
  if (bytes == 1) {  // 64-bit size follows
    if (at > end - 16) return std::nullopt;
    const auto large = source.u64_be(at + 8);
    if (!large) return std::nullopt;
    bytes = *large;
    header = 16;
  } else if (bytes == 0) {  // to the end
    bytes = end - at;
  }
  if (bytes < header || bytes > end - at) return std::nullopt;
  return Box{at + header, at + bytes, *type};
}

std::optional<Box> find_box(ByteSource& source, std::uint64_t begin, std::uint64_t end, std::uint32_t type) {
  int visited = 0;
  for (auto box = box_at(source, begin, end); box && visited < kMaxParts;
       box = box_at(source, box->end, end), ++visited)
    if (box->type == type) return box;
  return std::nullopt;
}

Result<std::vector<std::string>> mp4_keys(ByteSource& source, const Box& keys) {
  const auto count = source.u32_be(keys.begin + 4);
  if (keys.end - keys.begin < 8 || !count || *count > 4096)
    return corrupt_tags("the list of keys does not fit its box");
  std::vector<std::string> names;
  std::uint64_t at = keys.begin + 8;
  for (std::uint32_t i = 0; i < *count; ++i) {
    const auto size = source.u32_be(at);
    if (!size || *size < 8 || *size > keys.end - at) return corrupt_tags("a key does not fit its box");
    const auto name = source.text(at + 8, *size - 8, 4096);
    names.push_back(name.value_or(""));
    at += *size;
    if (at + 8 > keys.end && i + 1 < *count) return corrupt_tags("there are fewer keys than announced");
  }
  return names;
}

}  // namespace

Result<ContainerTags> mp4_tags(ByteSource& source) {
  ContainerTags tags;
  const auto moov = find_box(source, 0, source.size(), fourcc("moov"));
  if (!moov) return tags;
  auto meta = find_box(source, moov->begin, moov->end, fourcc("meta"));
  if (!meta) {
    if (const auto udta = find_box(source, moov->begin, moov->end, fourcc("udta")))
      meta = find_box(source, udta->begin, udta->end, fourcc("meta"));
  }
  if (!meta) return tags;
  // ISO files put four bytes of version and flags before the inner boxes, QuickTime files do not.
  std::uint64_t inner = meta->begin;
  if (const auto type = source.u32_be(inner + 4); !type || *type != fourcc("hdlr")) inner += 4;
  const auto keys = find_box(source, inner, meta->end, fourcc("keys"));
  const auto list = find_box(source, inner, meta->end, fourcc("ilst"));
  if (!keys || !list) return tags;
  RUBATO_TRY(names, mp4_keys(source, *keys));

  int visited = 0;
  for (auto item = box_at(source, list->begin, list->end); item && visited < kMaxParts;
       item = box_at(source, item->end, list->end), ++visited) {
    if (item->type == 0 || item->type > names.size()) continue;
    const std::string& name = names[item->type - 1];
    if (name != "rubato" && name != "comment") continue;
    const auto data = find_box(source, item->begin, item->end, fourcc("data"));
    if (!data || data->end - data->begin < 8) return corrupt_tags("a value has no data");
    auto text = source.text(data->begin + 8, data->end - data->begin - 8, kMaxContainerTag);
    if (!text) return corrupt_tags(fmt::format("the tag '{}' is larger than 1 MiB", name));
    RUBATO_OK(keep(tags, name, std::move(*text)));
  }
  return tags;
}

namespace {

// ---- Matroska: elements of (id, size) with variable-length numbers; Segment / Tags / Tag / SimpleTag.

struct Element {
  std::uint32_t id = 0;
  std::uint64_t begin = 0, end = 0;
};

std::optional<Element> element_at(ByteSource& source, std::uint64_t at, std::uint64_t end) {
  const auto number = [&](std::uint64_t& position, int max_bytes, bool keep_marker) -> std::optional<std::uint64_t> {
    const auto first = source.u8(position);
    if (!first || *first == 0) return std::nullopt;
    const int length = __builtin_clz(static_cast<unsigned>(*first)) - 24 + 1;
    if (length > max_bytes || position + static_cast<std::uint64_t>(length) > end) return std::nullopt;
    std::uint64_t value = keep_marker ? *first : *first & (0xFFu >> length);
    bool all_ones = (*first | (0xFF00u >> length & 0xFFu)) == 0xFFu;
    for (int i = 1; i < length; ++i) {
      const auto next = source.u8(position + static_cast<std::uint64_t>(i));
      if (!next) return std::nullopt;
      value = value << 8 | *next;
      all_ones = all_ones && *next == 0xFF;
    }
    position += static_cast<std::uint64_t>(length);
    if (!keep_marker && all_ones) return UINT64_MAX;  // "size unknown"
    return value;
  };
  if (at >= end) return std::nullopt;
  const auto id = number(at, 4, true);
  if (!id) return std::nullopt;
  const auto size = number(at, 8, false);
  if (!size) return std::nullopt;
  Element element{static_cast<std::uint32_t>(*id), at, end};
  if (*size != UINT64_MAX) {
    if (*size > end - at) return std::nullopt;
    element.end = at + *size;
  }
  return element;
}

constexpr std::uint32_t kSegment = 0x18538067, kTags = 0x1254C367, kTag = 0x7373, kSimpleTag = 0x67C8,
                        kTagName = 0x45A3, kTagString = 0x4487;

// Calls `visit` for every child of `parent` with this id; stops at its first error.
template <typename Visit>
Result<> each_child(ByteSource& source, const Element& parent, std::uint32_t id, int& visited, const Visit& visit) {
  for (auto child = element_at(source, parent.begin, parent.end); child && ++visited < kMaxParts;
       child = element_at(source, child->end, parent.end))
    if (child->id == id) RUBATO_OK(visit(*child));
  return {};
}

}  // namespace

Result<ContainerTags> matroska_tags(ByteSource& source) {
  ContainerTags tags;
  int visited = 0;
  const auto simple_tag = [&](const Element& element) -> Result<> {
    std::string name;
    std::optional<Element> value;
    RUBATO_OK(each_child(source, element, kTagName, visited, [&](const Element& e) -> Result<> {
      name = source.text(e.begin, e.end - e.begin, 4096).value_or("");
      return {};
    }));
    RUBATO_OK(each_child(source, element, kTagString, visited, [&](const Element& e) -> Result<> {
      value = e;
      return {};
    }));
    for (char& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');  // Matroska writes names in capitals
    if (!value || (name != "rubato" && name != "comment")) return {};
    auto text = source.text(value->begin, value->end - value->begin, kMaxContainerTag);
    if (!text) return corrupt_tags(fmt::format("the tag '{}' is larger than 1 MiB", name));
    return keep(tags, name, std::move(*text));
  };
  const Element file{0, 0, source.size()};
  RUBATO_OK(each_child(source, file, kSegment, visited, [&](const Element& segment) {
    return each_child(source, segment, kTags, visited, [&](const Element& list) {
      return each_child(source, list, kTag, visited,
                        [&](const Element& tag) { return each_child(source, tag, kSimpleTag, visited, simple_tag); });
    });
  }));
  return tags;
}

Result<ContainerTags> webp_tags(ByteSource& source) {
  ContainerTags tags;
  std::uint64_t at = 12;  // after RIFF, size, WEBP
  for (int i = 0; i < kMaxParts; ++i) {
    const auto type = source.u32_be(at);
    const auto size = source.u32_le(at + 4);
    if (!type || !size) break;
    if (*type == fourcc("XMP ")) {
      const auto packet = source.text(at + 8, *size, 2 * kMaxContainerTag);  // escaping makes it longer
      if (!packet) return corrupt_tags("the XMP chunk is larger than 2 MiB or cut off");
      auto text = parse_xmp(*packet);
      if (text.json.size() > kMaxContainerTag) return corrupt_tags("the XMP text is larger than 1 MiB");
      if (!text.json.empty()) tags.rubato = std::move(text.json);
      tags.comment = std::move(text.comment);
      break;
    }
    at += 8 + static_cast<std::uint64_t>(*size) + (*size & 1);
  }
  return tags;
}

namespace {

// ---- GIF: blocks made of sub-blocks of at most 255 bytes, ended by an empty one.

// The position after the sub-blocks at `at`; their bytes are appended to `into` if it is given.
std::optional<std::uint64_t> sub_blocks(ByteSource& source, std::uint64_t at, std::string* into) {
  for (;;) {
    const auto size = source.u8(at);
    if (!size) return std::nullopt;
    if (*size == 0) return at + 1;
    if (into != nullptr) {
      const auto part = source.text(at + 1, *size, 255);
      if (!part || into->size() > kMaxContainerTag + kGifMarker.size()) return std::nullopt;
      *into += *part;
    }
    at += 1 + static_cast<std::uint64_t>(*size);
  }
}

std::uint64_t color_table_bytes(std::uint8_t flags) { return (flags & 0x80) != 0 ? 3ull << ((flags & 7) + 1) : 0; }

}  // namespace

Result<ContainerTags> gif_tags(ByteSource& source) {
  ContainerTags tags;
  const auto screen = source.u8(10);
  if (!screen) return tags;
  std::uint64_t at = 13 + color_table_bytes(*screen);
  for (int i = 0; i < kMaxParts; ++i) {
    const auto block = source.u8(at);
    if (!block || *block == 0x3B) break;
    std::optional<std::uint64_t> next;
    if (*block == 0x2C) {  // image: position and size, flags, table, code size, data
      const auto flags = source.u8(at + 9);
      if (!flags) break;
      next = sub_blocks(source, at + 10 + color_table_bytes(*flags) + 1, nullptr);
    } else if (*block == 0x21) {
      const auto label = source.u8(at + 1);
      if (!label) break;
      std::string text;
      const bool comment = *label == 0xFE;
      next = sub_blocks(source, at + 2, comment ? &text : nullptr);
      if (comment && !next) return corrupt_tags("a GIF comment is larger than 1 MiB or cut off");
      if (comment && text.starts_with(kGifMarker)) {
        tags.rubato = text.substr(kGifMarker.size());
      } else if (comment) {
        tags.comment = std::move(text);
      }
    }
    if (!next) break;
    at = *next;
  }
  return tags;
}

FileKind file_kind(ByteSource& source) {
  std::array<std::uint8_t, 12> head{};
  const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(head.size(), source.size()));
  if (!source.get(0, std::span(head).first(length))) return FileKind::Unknown;
  const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  if (text.starts_with("\x89PNG\r\n\x1A\n")) return FileKind::Png;
  if (text.starts_with("\xFF\xD8\xFF")) return FileKind::Jpeg;
  if (text.starts_with("RIFF") && text.substr(8, 4) == "WEBP") return FileKind::WebP;
  if (text.starts_with("RIFF") && text.substr(8, 4) == "AVI ") return FileKind::Avi;
  if (text.starts_with("GIF87a") || text.starts_with("GIF89a")) return FileKind::Gif;
  if (text.starts_with("\x1A\x45\xDF\xA3")) return FileKind::Matroska;
  for (const std::string_view type : {"ftyp", "moov", "mdat", "free", "wide", "skip"})
    if (text.substr(4, 4) == type) return FileKind::Mp4;
  return FileKind::Unknown;
}

Result<ContainerTags> container_tags(ByteSource& source) {
  switch (file_kind(source)) {
    case FileKind::Mp4:
      return mp4_tags(source);
    case FileKind::Matroska:
      return matroska_tags(source);
    case FileKind::Png:
      return png_tags(source);
    case FileKind::WebP:
      return webp_tags(source);
    case FileKind::Gif:
      return gif_tags(source);
    default:
      return ContainerTags{};
  }
}

}  // namespace rubato
