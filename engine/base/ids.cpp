#include "engine/base/ids.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <random>
#include <vector>

#include "engine/base/check.h"

namespace rubato {
namespace {
constexpr std::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
}

std::string new_ulid() {
  static std::mutex mutex;
  static std::random_device device;
  static std::int64_t last_ms = 0;
  static std::array<std::uint8_t, 10> entropy{};

  const std::lock_guard lock(mutex);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::int64_t ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  if (ms > last_ms) {
    last_ms = ms;
    std::generate(entropy.begin(), entropy.end(), [] { return static_cast<std::uint8_t>(device()); });
  } else {  // same millisecond, or the clock went back: count up
    for (auto it = entropy.rbegin(); it != entropy.rend() && ++*it == 0; ++it) {
    }
  }
  std::string id(26, '0');
  for (int i = 0; i < 10; ++i)
    id[static_cast<std::size_t>(9 - i)] = kCrockford[static_cast<std::size_t>(last_ms >> (5 * i) & 31)];
  for (std::size_t i = 0; i < 16; ++i) {  // 80 bits, five at a time
    unsigned five = 0;
    for (std::size_t bit = i * 5; bit < i * 5 + 5; ++bit) {
      five = five << 1 | (entropy[bit / 8] >> (7 - bit % 8) & 1u);
    }
    id[10 + i] = kCrockford[five];
  }
  return id;
}

bool is_ulid(std::string_view text) {
  return text.size() == 26 && text[0] <= '7' && text.find_first_not_of(kCrockford) == std::string_view::npos;
}

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  RUBATO_CHECK(EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) == 1);
}
Sha256::Sha256(const Sha256& other) : state_(std::make_unique<State>()) {
  RUBATO_CHECK(EVP_MD_CTX_copy_ex(state_->context, other.state_->context) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) {
  RUBATO_CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}
void Sha256::update(std::string_view text) { update(std::as_bytes(std::span(text.data(), text.size()))); }

std::string Sha256::hex() {
  std::array<unsigned char, 32> digest{};
  unsigned length = 0;
  RUBATO_CHECK(EVP_DigestFinal_ex(state_->context, digest.data(), &length) == 1 && length == digest.size());
  std::string text;
  for (const auto byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::string sha256_hex(std::string_view text) {
  Sha256 hash;
  hash.update(text);
  return hash.hex();
}

Result<std::string> sha256_file(const std::filesystem::path& path, std::stop_token stop) {
  // read() and not a mapping: a file that is shortened meanwhile must not end the program.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return Error{ErrorCode::CannotRead, fmt::format("cannot read {}: {}", path.string(), std::strerror(errno))};
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  Sha256 hash;
  std::vector<std::byte> buffer(1u << 20);
  ssize_t got = 0;
  while (!stop.stop_requested() && (got = ::read(fd, buffer.data(), buffer.size())) != 0) {
    if (got > 0) {
      hash.update(std::span(buffer).first(static_cast<std::size_t>(got)));
    } else if (errno != EINTR) {
      break;
    }
  }
  const int code = errno;
  ::close(fd);
  if (got < 0)
    return Error{ErrorCode::CannotRead, fmt::format("cannot read {}: {}", path.string(), std::strerror(code))};
  if (stop.stop_requested()) return Error{ErrorCode::Cancelled, fmt::format("stopped while reading {}", path.string())};
  return hash.hex();
}

}  // namespace rubato
