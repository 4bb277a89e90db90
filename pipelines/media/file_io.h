// FileIo: an AVIOContext over a file descriptor, so that FFmpeg never opens a file by name and every failed
// write is seen with its errno. Internal to pipelines/media.
//
// Each FileIo has its own position (pread, pwrite), so several may share one descriptor. The descriptor is
// borrowed and must outlive the FileIo.
#pragma once

#include <cstdint>

extern "C" {
#include <libavformat/avio.h>
}

namespace rubato {

class FileIo {
 public:
  enum class Mode { Read, Write };
  FileIo(int fd, Mode mode);
  ~FileIo();
  FileIo(const FileIo&) = delete;
  FileIo& operator=(const FileIo&) = delete;

  AVIOContext* context() { return context_; }
  int fd() const { return fd_; }
  std::int64_t size() const;
  // errno of the first failed read or write; 0 if none.
  int failed() const { return failed_; }

 private:
  static int read(void* self, std::uint8_t* buffer, int size);
  static int write(void* self, std::uint8_t* buffer, int size);
  static std::int64_t seek(void* self, std::int64_t offset, int whence);

  int fd_;
  std::int64_t position_ = 0;
  int failed_ = 0;
  AVIOContext* context_ = nullptr;
};

}  // namespace rubato
