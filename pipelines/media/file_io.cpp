#include "pipelines/media/file_io.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "engine/base/check.h"

extern "C" {
#include <libavutil/error.h>
#include <libavutil/mem.h>
}

namespace rubato {
namespace {
constexpr int kBufferBytes = 64 << 10;
}

FileIo::FileIo(int fd, Mode mode) : fd_(fd) {
  auto* buffer = static_cast<unsigned char*>(av_malloc(kBufferBytes));
  RUBATO_CHECK(buffer != nullptr);
  context_ = avio_alloc_context(buffer, kBufferBytes, mode == Mode::Write ? 1 : 0, this, &FileIo::read, &FileIo::write,
                                &FileIo::seek);
  RUBATO_CHECK(context_ != nullptr);
}

FileIo::~FileIo() {
  av_freep(&context_->buffer);  // FFmpeg may have replaced the buffer, so free what is there now
  avio_context_free(&context_);
}

std::int64_t FileIo::size() const {
  struct stat info{};
  return ::fstat(fd_, &info) == 0 ? static_cast<std::int64_t>(info.st_size) : 0;
}

int FileIo::read(void* self, std::uint8_t* buffer, int size) {
  auto* io = static_cast<FileIo*>(self);
  for (;;) {
    const ssize_t got = ::pread(io->fd_, buffer, static_cast<std::size_t>(size), io->position_);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      if (io->failed_ == 0) io->failed_ = errno;
      return AVERROR(EIO);
    }
    if (got == 0) return AVERROR_EOF;
    io->position_ += got;
    return static_cast<int>(got);
  }
}

int FileIo::write(void* self, std::uint8_t* buffer, int size) {
  auto* io = static_cast<FileIo*>(self);
  int done = 0;
  while (done < size) {
    const ssize_t put = ::pwrite(io->fd_, buffer + done, static_cast<std::size_t>(size - done), io->position_);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      if (io->failed_ == 0) io->failed_ = errno;
      return AVERROR(io->failed_);
    }
    done += static_cast<int>(put);
    io->position_ += put;
  }
  return size;
}

std::int64_t FileIo::seek(void* self, std::int64_t offset, int whence) {
  auto* io = static_cast<FileIo*>(self);
  switch (whence & ~AVSEEK_FORCE) {
    case AVSEEK_SIZE:
      return io->size();
    case SEEK_SET:
      break;
    case SEEK_CUR:
      offset += io->position_;
      break;
    case SEEK_END:
      offset += io->size();
      break;
    default:
      return AVERROR(EINVAL);
  }
  if (offset < 0) return AVERROR(EINVAL);
  return io->position_ = offset;
}

}  // namespace rubato
