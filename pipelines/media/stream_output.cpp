// MP4 and WebM: fragments under a temporary name while rendering, one remux at the end.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "engine/base/check.h"
#include "pipelines/media/av.h"
#include "pipelines/media/container_writer.h"
#include "pipelines/media/file_io.h"
#include "pipelines/media/video_encoder.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

// A temporary file in place of the target, opened for FFmpeg.
struct TemporaryFile {
  AtomicFile file;
  int fd = -1;

  static Result<std::unique_ptr<TemporaryFile>> create(const fs::path& target, Overwrite overwrite) {
    RUBATO_TRY(file, AtomicFile::create(target, overwrite));
    const int fd = ::open(file.temporary_path().c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) return write_error(target, errno);
    return std::make_unique<TemporaryFile>(std::move(file), fd);
  }
  TemporaryFile(AtomicFile opened, int descriptor) : file(std::move(opened)), fd(descriptor) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { ::close(fd); }
};

// The muxer's answer as an Error; the file's own errno says more than FFmpeg's code.
Error mux_error(const fs::path& target, const FileIo& io, int code) {
  if (io.failed() != 0) return write_error(target, io.failed());
  return {ErrorCode::CannotWrite, fmt::format("cannot write {}: {}", target.string(), av::words(code))};
}

// movenc reads its own output back when it moves the index to the front; it gets a second view of the same file.
int reopen_for_reading(AVFormatContext* muxer, AVIOContext** context, const char*, int flags, AVDictionary**) {
  if ((flags & AVIO_FLAG_WRITE) != 0) return AVERROR(EPERM);
  auto* view = new FileIo(static_cast<FileIo*>(muxer->opaque)->fd(), FileIo::Mode::Read);
  *context = view->context();
  return 0;
}
int close_view(AVFormatContext*, AVIOContext* context) {
  delete static_cast<FileIo*>(context->opaque);
  return 0;
}

class StreamOutput final : public ContainerWriter {
 public:
  static OutputResult open(const fs::path& output, const VideoFormat& format, Container container,
                           Overwrite overwrite) {
    std::unique_ptr<StreamOutput> made(new StreamOutput);
    made->target_ = output;
    made->overwrite_ = overwrite;
    made->container_ = container;
    VideoCodec codec = format.codec;
    if (codec == VideoCodec::Auto) codec = container == Container::Mp4 ? VideoCodec::H264 : VideoCodec::Vp9;
    RUBATO_TRY(encoder, VideoEncoder::open(codec, format));
    made->encoder_ = std::move(encoder);
    RUBATO_TRY(draft, TemporaryFile::create(output, overwrite));
    made->draft_ = std::move(draft);
    made->draft_io_ = std::make_unique<FileIo>(made->draft_->fd, FileIo::Mode::Write);
    RUBATO_OK(made->start_draft());
    return OutputResult(std::move(made));
  }

  Result<> add(std::int64_t index, std::span<const std::uint8_t> rgb24) override {
    ++frames_;
    return encoder_->encode(index, rgb24, [this](AVPacket& packet) { return write_draft(packet); });
  }

  Result<std::vector<fs::path>> finish(const Metadata& metadata) override {
    RUBATO_OK(encoder_->flush([this](AVPacket& packet) { return write_draft(packet); }));
    const int code = av_write_trailer(muxer_.get());
    if (code < 0 || draft_io_->failed() != 0) return mux_error(target_, *draft_io_, code);
    avio_flush(draft_io_->context());
    if (draft_io_->failed() != 0) return mux_error(target_, *draft_io_, 0);
    muxer_.reset();

    RUBATO_TRY(final_file, TemporaryFile::create(target_, overwrite_));
    RUBATO_OK(remux(final_file->fd, metadata));
    RUBATO_OK(final_file->file.commit());
    return std::vector<fs::path>{target_};
  }

  fs::path temporary_path() const override { return draft_->file.temporary_path(); }

 private:
  StreamOutput() = default;

  const char* format_name() const { return container_ == Container::Mp4 ? "mp4" : "webm"; }

  Result<av::Muxer> new_muxer(FileIo& io) const {
    AVFormatContext* raw = nullptr;
    if (avformat_alloc_output_context2(&raw, nullptr, format_name(), nullptr) < 0)
      return Error{ErrorCode::Failed, fmt::format("this FFmpeg cannot write {} files", format_name())};
    av::Muxer muxer(raw);
    muxer->pb = io.context();
    muxer->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
    muxer->opaque = &io;
    muxer->io_open = &reopen_for_reading;
    muxer->io_close2 = &close_view;
    return muxer;
  }

  Result<> start_draft() {
    RUBATO_TRY(muxer, new_muxer(*draft_io_));
    muxer_ = std::move(muxer);
    muxer_->flags |= AVFMT_FLAG_FLUSH_PACKETS;  // what is written shall survive a kill
    AVStream* stream = avformat_new_stream(muxer_.get(), nullptr);
    RUBATO_CHECK(stream != nullptr);
    const AVCodecContext& c = encoder_->context();
    if (avcodec_parameters_from_context(stream->codecpar, &c) < 0)
      return Error{ErrorCode::OutOfMemory, "not enough memory to start the video file"};
    stream->time_base = c.time_base;
    stream->avg_frame_rate = c.framerate;
    av::Options options;
    if (container_ == Container::Mp4)
      options.set("movflags", "frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets");
    else
      options.set("cluster_time_limit", "1000");  // at most a second is lost with the process
    const int code = avformat_write_header(muxer_.get(), options.out());
    if (code < 0 || draft_io_->failed() != 0) return mux_error(target_, *draft_io_, code);
    return {};
  }

  Result<> write_draft(AVPacket& packet) {
    av_packet_rescale_ts(&packet, encoder_->context().time_base, muxer_->streams[0]->time_base);
    packet.stream_index = 0;
    const int code = av_write_frame(muxer_.get(), &packet);
    if (code < 0 || draft_io_->failed() != 0) return mux_error(target_, *draft_io_, code);
    return {};
  }

  // Copies the packets of the draft into a plain file with metadata and the index in front.
  Result<> remux(int fd, const Metadata& metadata) {
    const auto unreadable = [&](const char* what, int code) {
      return Error{ErrorCode::Failed, fmt::format("the temporary file of {} could not be {}: {}", target_.string(),
                                                  what, av::words(code))};
    };
    FileIo in(draft_->fd, FileIo::Mode::Read);
    AVFormatContext* raw = avformat_alloc_context();
    RUBATO_CHECK(raw != nullptr);
    raw->pb = in.context();
    raw->flags |= AVFMT_FLAG_CUSTOM_IO;
    if (const int code = avformat_open_input(&raw, nullptr, nullptr, nullptr); code < 0)
      return unreadable("read back", code);
    const av::Demuxer demuxer(raw);
    RUBATO_CHECK(demuxer->nb_streams == 1);
    const AVStream& from = *demuxer->streams[0];

    FileIo out(fd, FileIo::Mode::Write);
    RUBATO_TRY(muxer, new_muxer(out));
    AVStream* to = avformat_new_stream(muxer.get(), nullptr);
    RUBATO_CHECK(to != nullptr);
    // The packets are the demuxer's now (MP4 counts NAL units where the encoder put start codes), and so is the
    // codec's own header; how the picture looks the encoder knows best.
    const AVCodecContext& c = encoder_->context();
    av::Parameters look(avcodec_parameters_alloc());
    RUBATO_CHECK(look != nullptr);
    if (avcodec_parameters_from_context(look.get(), &c) < 0 || avcodec_parameters_copy(to->codecpar, from.codecpar) < 0)
      return Error{ErrorCode::OutOfMemory, "not enough memory to finish the video file"};
    to->codecpar->codec_tag = 0;
    to->codecpar->bit_rate = 0;
    to->codecpar->format = look->format;
    to->codecpar->color_range = look->color_range;
    to->codecpar->color_primaries = look->color_primaries;
    to->codecpar->color_trc = look->color_trc;
    to->codecpar->color_space = look->color_space;
    to->codecpar->chroma_location = look->chroma_location;
    to->time_base = c.time_base;
    to->avg_frame_rate = c.framerate;
    if (!metadata.json.empty()) av_dict_set(&muxer->metadata, "rubato", metadata.json.c_str(), 0);
    if (!metadata.comment.empty()) av_dict_set(&muxer->metadata, "comment", metadata.comment.c_str(), 0);
    av::Options options;
    if (container_ == Container::Mp4) options.set("movflags", "faststart+use_metadata_tags");
    if (const int code = avformat_write_header(muxer.get(), options.out()); code < 0)
      return mux_error(target_, out, code);

    const av::Packet packet(av_packet_alloc());
    RUBATO_CHECK(packet != nullptr);
    std::int64_t packets = 0, shift = 0;
    for (;;) {
      int code = av_read_frame(demuxer.get(), packet.get());
      if (code == AVERROR_EOF) break;
      if (code < 0) return unreadable("copied", code);
      // Containers count in their own ticks; back to whole frames, starting at 0 with the first key frame.
      av_packet_rescale_ts(packet.get(), from.time_base, c.time_base);
      if (packets++ == 0) shift = packet->pts;
      packet->pts -= shift;
      packet->dts -= shift;
      packet->duration = 1;
      av_packet_rescale_ts(packet.get(), c.time_base, to->time_base);
      packet->pos = -1;
      packet->stream_index = 0;
      code = av_write_frame(muxer.get(), packet.get());
      av_packet_unref(packet.get());
      if (code < 0 || out.failed() != 0) return mux_error(target_, out, code);
    }
    RUBATO_CHECK(packets == frames_, packets, " packets of ", frames_, " frames");
    const int code = av_write_trailer(muxer.get());
    avio_flush(out.context());
    if (code < 0 || out.failed() != 0) return mux_error(target_, out, code);
    return {};
  }

  fs::path target_;
  Overwrite overwrite_ = Overwrite::Never;
  Container container_ = Container::Mp4;
  std::int64_t frames_ = 0;
  std::unique_ptr<VideoEncoder> encoder_;
  std::unique_ptr<TemporaryFile> draft_;
  std::unique_ptr<FileIo> draft_io_;
  av::Muxer muxer_;  // writes to draft_io_, so it goes first
};

}  // namespace

OutputResult open_stream_output(const fs::path& output, const VideoFormat& format, Container container,
                                Overwrite overwrite) {
  return StreamOutput::open(output, format, container, overwrite);
}

}  // namespace rubato
