// rubato-bench: how fast the engine is on this machine. Every number comes with its baseline of the same run.
#include <fmt/format.h>

#include <map>
#include <span>
#include <string_view>

#include "app/bench/bench.h"
#include "engine/base/guard.h"

int main(int argc, char** argv) {
  using namespace rubato;
  const std::span<char* const> args(argv, static_cast<std::size_t>(argc));
  const std::string_view name = args.size() > 1 ? args[1] : "";
  const std::map<std::string_view, Result<> (*)(const bench::Options&)> benches{
      {"clip", bench::clip}, {"kernels", bench::kernels}, {"wan-step", bench::wan_step}, {"wan-vae", bench::wan_vae}};
  const auto found = benches.find(name);
  if (found == benches.end()) {
    fmt::print(stderr, "{}", bench::Options::help());
    return name == "--help" ? 0 : exit_code(ErrorCode::Usage);
  }
  const auto done = guard([&]() -> Result<> {
    RUBATO_TRY(options, bench::Options::parse(args.subspan(2)));
    return found->second(options);
  });
  if (done.ok()) return 0;
  fmt::print(stderr, "rubato-bench: {}\n", done.error().message);
  return exit_code(done.error().code);
}
