// Error and Result: how Rubato reports what went wrong outside its control.
//
// A function that can fail for an outside reason (a bad file, a full disk, a typo)
// returns Result<T>. A broken invariant inside Rubato is a bug and throws through
// RUBATO_CHECK (check.h). An Error's message is one sentence a person can act on.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace rubato {

// What kind of thing went wrong; decides the exit code of rubato-cli.
enum class ErrorCode {
  Internal,        // a bug in Rubato
  Failed,          // the job failed for a reason of its own
  Usage,           // bad command line
  JobInvalid,      // a job or job file breaks the schema
  ModelMissing,    // no such model, or a part of it is missing
  ModelUnfit,      // a model file is damaged, of the wrong shape, or of an unsupported kind
  OutOfMemory,     // the job does not fit, even after every fallback
  OutputExists,    // the output is there and overwriting was not asked for
  EngineDied,      // the worker process ended unexpectedly
  NoDevice,        // a device was asked for that is not there
  TimeLimit,       // a time limit was reached; the job can be resumed
  Locked,          // another instance holds the data
  VerifyMismatch,  // verify found a different result
  CannotWrite,     // folder not writable, disk full
  CannotRead,      // file missing or unreadable
  Corrupt,         // an input file (not a model) is damaged
  Numerics,        // NaN or infinity in the latents
  Cancelled,       // stopped by the user (SIGINT)
  Terminated,      // stopped by SIGTERM
};

// "model_missing" and so on: the stable spelling used in JSON.
std::string_view code_name(ErrorCode code);
// Inverse of code_name; an unknown spelling gives Internal.
ErrorCode code_from_name(std::string_view name);
// Exit code of rubato-cli for this error (product table: 1 failed, 2 usage, 3 job file, 4 model,
// 5 memory, 6 output exists, 7 engine died, 8 no device, 9 time limit, 10 locked, 11 verify,
// 73 cannot write, 130 interrupted, 143 terminated).
int exit_code(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::Internal;
  std::string message;
};

// A value or an Error. Result<> carries no value.
template <typename T = void>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}
  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  const Error& error() const& { return error_; }
  Error&& error() && { return std::move(error_); }

 private:
  Error error_;
  bool ok_ = true;
};

}  // namespace rubato

#define RUBATO_CONCAT_INNER(a, b) a##b
#define RUBATO_CONCAT(a, b) RUBATO_CONCAT_INNER(a, b)

// RUBATO_TRY(var, expr): binds the value of expr to var, or returns its error from this function.
#define RUBATO_TRY(var, ...) RUBATO_TRY_INNER(var, RUBATO_CONCAT(rubato_try_, __COUNTER__), __VA_ARGS__)
#define RUBATO_TRY_INNER(var, tmp, ...)         \
  auto tmp = (__VA_ARGS__);                     \
  if (!tmp.ok()) return std::move(tmp).error(); \
  auto var = std::move(tmp).value()

// RUBATO_OK(expr): the same for an expression without a value.
// (Names from __COUNTER__: an expression may be a lambda that uses the macro itself.)
#define RUBATO_OK(...) RUBATO_OK_INNER(RUBATO_CONCAT(rubato_ok_, __COUNTER__), __VA_ARGS__)
#define RUBATO_OK_INNER(tmp, ...)                                           \
  do {                                                                      \
    if (auto tmp = (__VA_ARGS__); !tmp.ok()) return std::move(tmp).error(); \
  } while (false)
