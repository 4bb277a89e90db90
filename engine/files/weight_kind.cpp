#include "engine/files/weight_kind.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "engine/base/check.h"

namespace rubato {
namespace {

// Old torch files are a tar archive, a pickle, or a pickle after this; a header length can look like none of them,
// because a safetensors header is shorter than 16 MiB and is followed by '{'.
constexpr std::uint64_t kLongestHeader = 16u << 20;

std::uint64_t little_endian64(std::string_view bytes) {
  std::uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
  return value;
}

bool looks_like_pickle(std::string_view head) {
  if (head.size() >= 2 && head[0] == '\x80' && head[1] >= 0 && head[1] <= 5) return true;  // PROTO n
  if (head.size() >= 262 && head.substr(257, 5) == "ustar") return true;                   // torch before 0.1.10
  // Protocol 0 has no mark; dictionaries and globals of torch begin so.
  for (const std::string_view start : {"(dp", "(lp", "}q", "ccollections\n", "ctorch", "c__builtin__\n", "cbuiltins\n"})
    if (head.starts_with(start)) return true;
  return false;
}

}  // namespace

WeightKind sniff_weights(std::span<const std::byte> bytes) {
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (head.empty()) return WeightKind::Empty;
  // Before pickle: the length of a header can begin with the byte 0x80.
  if (head.size() > 8 && head[8] == '{') {
    const std::uint64_t length = little_endian64(head);
    if (length <= kLongestHeader || head.substr(8).starts_with("{\"")) return WeightKind::Safetensors;
  }
  if (head.starts_with("PK\x03\x04") || head.starts_with("PK\x05\x06")) return WeightKind::Zip;
  if (head.starts_with("GGUF")) return WeightKind::Gguf;
  if (head.starts_with("version https://git-lfs")) return WeightKind::LfsPointer;
  for (const std::string_view start : {"<!DOCTYPE", "<!doctype", "<html", "<HTML"})
    if (head.starts_with(start)) return WeightKind::WebPage;
  if (looks_like_pickle(head)) return WeightKind::Pickle;
  return WeightKind::Unknown;
}

Result<WeightKind> sniff_weight_file(const std::filesystem::path& path) {
  const auto fail = [&](int code) {
    return Error{ErrorCode::CannotRead, fmt::format("cannot read {}: {}", path.string(), std::strerror(code))};
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a fifo must not block a scan
  if (fd < 0) return fail(errno);
  std::array<std::byte, 512> head{};
  ssize_t got;
  do {
    got = ::read(fd, head.data(), head.size());
  } while (got < 0 && errno == EINTR);
  const int code = errno;
  ::close(fd);
  if (got < 0) return fail(code);
  return sniff_weights(std::span(head).first(static_cast<std::size_t>(got)));
}

Error refuse_weights(WeightKind kind, const std::filesystem::path& path) {
  const std::string file = path.string();
  switch (kind) {
    case WeightKind::Safetensors:
      break;
    case WeightKind::Pickle:
    case WeightKind::Zip:
      return {
          ErrorCode::ModelUnfit,
          fmt::format(
              "{} is a {} and can run code when it is loaded, so Rubato refuses it; convert it in Python, where you "
              "trust its source, with safetensors.torch.save_file(torch.load(path, weights_only=True), "
              "\"model.safetensors\"), or look for a .safetensors version of the model",
              file, kind == WeightKind::Zip ? "zip archive such as torch.save writes (a pickle)" : "Python pickle")};
    case WeightKind::Gguf:
      return {ErrorCode::ModelUnfit, fmt::format("{} is a GGUF file, which this version of Rubato does not read yet; "
                                                 "use the safetensors version of the model",
                                                 file)};
    case WeightKind::LfsPointer:
      return {
          ErrorCode::ModelUnfit,
          fmt::format(
              "{} is only the pointer that Git LFS leaves in place of the weights; run 'git lfs pull' in that folder",
              file)};
    case WeightKind::WebPage:
      return {ErrorCode::ModelUnfit,
              fmt::format("{} is a web page and not weights; its download failed, so fetch it again", file)};
    case WeightKind::Empty:
      return {ErrorCode::ModelUnfit,
              fmt::format("{} is empty; its download or copy did not finish, so fetch it again", file)};
    case WeightKind::Unknown:
      return {ErrorCode::ModelUnfit, fmt::format("{} is not a safetensors file: it does not begin with a header length "
                                                 "and '{{'; it may be damaged or of a "
                                                 "kind that Rubato does not read",
                                                 file)};
  }
  RUBATO_CHECK(false, "safetensors are not refused");
  return {};
}

}  // namespace rubato
