// Identifiers and digests.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

#include "engine/base/error.h"

namespace rubato {

// A ULID: 26 characters of Crockford base 32, 48 bits of milliseconds then 80 random bits, so that ids
// sort by time. Ids made by one process in the same millisecond still increase. Thread-safe.
std::string new_ulid();
bool is_ulid(std::string_view text);

// SHA-256, fed in pieces. A copy goes on independently: hex() of a copy is the digest so far.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256& other);
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  // 64 lower-case hexadecimal digits; the object is spent.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view text);
// Cancelled soon after `stop` is requested.
Result<std::string> sha256_file(const std::filesystem::path& path, std::stop_token stop = {});

}  // namespace rubato
