#include "engine/base/guard.h"

#include <string_view>

namespace rubato {

Error describe_exception(const std::exception& e) {
  const std::string_view what = e.what();
  const bool no_memory = dynamic_cast<const std::bad_alloc*>(&e) != nullptr ||
                         what.find("out of memory") != std::string_view::npos ||
                         what.find("can't allocate memory") != std::string_view::npos ||
                         what.find("STATUS_ALLOC_FAILED") != std::string_view::npos;  // cuBLAS, cuDNN
  if (no_memory) return {ErrorCode::OutOfMemory, "not enough memory for this job"};
  // Library exceptions append a stack trace; the first line says what happened.
  return {ErrorCode::Internal, std::string(what.substr(0, what.find('\n')))};
}

}  // namespace rubato
