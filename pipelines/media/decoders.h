// The three ways into a file: videos and GIF through FFmpeg's demuxers, still PNG and JPEG straight into their
// decoder, WebP through libwebp (FFmpeg 5.1 reads no animated WebP). Internal to pipelines/media.
#pragma once

#include "pipelines/media/container_tags.h"
#include "pipelines/media/media_reader.h"

namespace rubato {

inline constexpr std::int64_t kMaxPixels = 268'435'456;        // 268 Mpx
inline constexpr std::uint64_t kMaxStillBytes = 512ull << 20;  // of a file that is read into memory

// Does frame number `index` belong to the chosen ones, and is there one after it?
bool is_chosen(const ReadOptions& options, std::int64_t index);
bool is_past(const ReadOptions& options, std::int64_t index);
Result<> check_pixels(const MediaFile& file, std::int64_t width, std::int64_t height);
// The whole file; Corrupt beyond kMaxStillBytes.
Result<std::vector<std::uint8_t>> read_all(const MediaFile& file);

Result<MediaInfo> probe_video(const MediaFile& file);
Result<> read_video(const MediaFile& file, const ReadOptions& options, const FrameSink& sink);
Result<MediaInfo> probe_still(const MediaFile& file, FileKind kind);
Result<> read_still(const MediaFile& file, FileKind kind, const ReadOptions& options, const FrameSink& sink);
Result<MediaInfo> probe_webp(const MediaFile& file);
Result<> read_webp(const MediaFile& file, const ReadOptions& options, const FrameSink& sink);

}  // namespace rubato
