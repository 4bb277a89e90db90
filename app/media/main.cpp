// rubato-media: looks into files that strangers may have made, in a process that can do nothing else.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "app/media/commands.h"
#include "engine/base/guard.h"

#if defined(__SANITIZE_ADDRESS__)
// The leak check at exit works through ptrace, which the sandbox refuses. The library's tests check for leaks.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }
#endif

int main(int argc, char** argv) {
  using namespace rubato;
  const auto result = guard([&]() -> Result<nlohmann::json> {
    RUBATO_TRY(question, parse_question(std::span(argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0))));
    return answer(question);
  });
  nlohmann::json reply;
  if (result) {
    reply = *result;
  } else {
    reply["error"] = {{"code", code_name(result.error().code)}, {"message", result.error().message}};
  }
  // File names need not be valid UTF-8, and messages may quote them.
  const std::string text = reply.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return !result ? exit_code(result.error().code) : written ? 0 : 1;
}
