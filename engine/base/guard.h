// guard(fn): runs fn and turns every exception into an Error. It stands at the border of a job and of
// a file reader that uses a throwing library; nothing above it sees an exception.
#pragma once

#include <exception>
#include <new>

#include "engine/base/check.h"
#include "engine/base/error.h"

namespace rubato {

// Thrown inside guarded code to leave with a particular Error.
class ErrorException : public std::exception {
 public:
  explicit ErrorException(Error error) : error_(std::move(error)) {}
  const char* what() const noexcept override { return error_.message.c_str(); }
  const Error& error() const { return error_; }

 private:
  Error error_;
};

// Names the error that an exception stands for; recognises allocation failures by type and, for
// libraries that throw plain exceptions, by the words they use.
Error describe_exception(const std::exception& e);

template <typename Fn>
auto guard(Fn&& fn) -> decltype(fn()) {
  try {
    return fn();
  } catch (const ErrorException& e) {
    return e.error();
  } catch (const std::exception& e) {
    return describe_exception(e);
  }
}

}  // namespace rubato
