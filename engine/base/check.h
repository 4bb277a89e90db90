// RUBATO_CHECK(cond, parts…): a broken invariant inside Rubato. Throws InternalError, which
// guard() turns into an Error at the border of a job, so that a bug ends one job and not the program.
// Never for user input.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace rubato {

class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

namespace detail {
template <typename... Parts>
[[noreturn]] void check_failed(const char* file, int line, const char* cond, const Parts&... parts) {
  std::ostringstream text;
  text << file << ':' << line << ": check failed: " << cond;
  if constexpr (sizeof...(parts) > 0) {
    text << ": ";
    (text << ... << parts);
  }
  throw InternalError(text.str());
}
}  // namespace detail

}  // namespace rubato

#define RUBATO_CHECK(cond, ...) \
  ((cond) ? void() : ::rubato::detail::check_failed(__FILE__, __LINE__, #cond __VA_OPT__(, ) __VA_ARGS__))
