// How metadata looks inside containers that have no key/value store. Internal to pipelines/media.
#pragma once

#include <string>
#include <string_view>

namespace rubato {

// The first word of the GIF comment that carries the JSON object.
inline constexpr std::string_view kGifMarker = "rubato ";

// An XMP packet with the element rubato:metadata (the JSON, escaped) and dc:description (the comment).
std::string xmp_packet(std::string_view json, std::string_view comment);

struct XmpText {
  std::string json, comment;  // "" where the packet has none
};
XmpText parse_xmp(std::string_view packet);

}  // namespace rubato
