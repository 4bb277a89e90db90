// One RGB24 picture as the bytes of a PNG file, with optional text. Internal to pipelines/media.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/base/error.h"
#include "pipelines/media/metadata.h"

namespace rubato {

// sRGB, 8 bit. Metadata goes into compressed iTXt chunks "rubato" and "Comment" before the pixels.
Result<std::string> encode_png(std::span<const std::uint8_t> rgb24, int width, int height);
std::string with_text(std::string png, const Metadata& metadata);

}  // namespace rubato
