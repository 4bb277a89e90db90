// doctor: is everything here that a render needs? Each finding comes with what to do about it.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/output.h"
#include "app/cli/places.h"
#include "engine/base/text.h"
#include "engine/base/version.h"
#include "engine/files/model_card.h"
#include "pipelines/job/machine.h"
#include "pipelines/job/media_client.h"
#include "pipelines/job/no_network.h"
#include "pipelines/job/worker_client.h"

namespace rubato::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kLittleMemory = 4ull << 30;  // the practice model runs in one, real models do not
constexpr std::uint64_t kLittleDisk = 2ull << 30;
constexpr auto kHelloPatience = std::chrono::seconds(60);

enum class State { Ok, Note, Warn, Fail };

struct Finding {
  std::string id, title;
  State state = State::Ok;
  std::string detail;
  std::string remedy;  // "" when there is nothing to do
  nlohmann::json facts = nlohmann::json::object();
};

std::string_view state_name(State state) {
  switch (state) {
    case State::Ok:
      return "ok";
    case State::Note:
      return "note";
    case State::Warn:
      return "warn";
    case State::Fail:
      return "fail";
  }
  return "fail";
}

bool has(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

Finding check_cpu() {
  const auto found = cpu();
  Finding f{.id = "cpu",
            .title = "Processor",
            .detail = fmt::format("{}, {} core{}, {}", found.model.empty() ? "unknown model" : found.model, found.cores,
                                  found.cores == 1 ? "" : "s", join(found.flags, " "))};
  f.facts = {{"model", found.model}, {"cores", found.cores}, {"flags", found.flags}};
  if (!has(found.flags, "avx2")) {
    f.state = State::Warn;
    f.remedy =
        "Without AVX2 rendering on the CPU works but is several times slower; a machine from 2014 or later has it.";
  }
  return f;
}

Finding check_memory() {
  const auto found = memory();
  const auto limit = found.control_group.value_or(found.total);
  Finding f{.id = "memory",
            .title = "Memory",
            .detail = fmt::format("{} of {} free", human_bytes(std::min(found.available, limit)), human_bytes(limit))};
  if (found.control_group)
    f.detail += fmt::format(" (limited by its control group; the machine has {})", human_bytes(found.total));
  f.facts = {{"total_bytes", found.total}, {"available_bytes", found.available}, {"limit_bytes", limit}};
  if (std::min(found.available, limit) < kLittleMemory) {
    f.state = State::Warn;
    f.remedy = "The practice model fits; larger models need more. Close other programs or raise the limit.";
  }
  return f;
}

Finding check_disk(const UserFolders& user) {
  const auto here = free_bytes("."), temp = free_bytes(fs::temp_directory_path()), cache = free_bytes(user.cache);
  const auto least = std::min({here, temp, cache});
  Finding f{.id = "disk",
            .title = "Disk",
            .detail = fmt::format("{} free here, {} for temporary files, {} for the cache", human_bytes(here),
                                  human_bytes(temp), human_bytes(cache))};
  f.facts = {{"here_bytes", here}, {"temporary_bytes", temp}, {"cache_bytes", cache}};
  if (least < kLittleDisk) {
    f.state = State::Warn;
    f.remedy = "Free some space; a long clip and its unfinished work can take gigabytes.";
  }
  return f;
}

Finding check_folders(const UserFolders& user) {
  Finding f{.id = "folders",
            .title = "User folders",
            .detail = fmt::format("{}, {}", user.config.string(), user.cache.string())};
  for (const auto& folder : {user.config, user.data, user.state, user.cache}) {
    auto nearest = folder;
    std::error_code failed;
    while (!fs::exists(nearest, failed) && nearest.has_relative_path()) nearest = nearest.parent_path();
    if (::access(nearest.c_str(), W_OK) == 0) continue;
    f.state = State::Warn;
    f.detail = fmt::format("{} cannot be written", folder.string());
    f.remedy = "Folders and caches will not be remembered; pass --data-dir DIR with a folder that can be written.";
  }
  return f;
}

// A container's own filter binds this process as well, so what counts is that the worker has one more.
Finding check_isolation(int worker) {
  Finding f{.id = "isolation", .title = "Isolation"};
  const int here = count_syscall_filters(), there = count_syscall_filters(worker);
  f.facts = {{"filters", there}, {"filters_of_this_program", here}};
  if (here < 0 || there < 0) {
    f.state = State::Note;
    f.detail = "this kernel does not tell whether the engine is kept off the network";
  } else if (there > here) {
    f.detail = "the engine has no access to the network";
  } else {
    f.state = State::Warn;
    f.detail = "the engine could use the network, since the kernel refused its filter";
    f.remedy = "Renders work; to keep models and media off the network, allow seccomp in the kernel or the container.";
  }
  return f;
}

// Starts the engine as a render does, to learn whether it runs here and what devices it sees.
std::vector<Finding> check_engine() {
  Finding engine{.id = "engine", .title = "Engine"}, gpu{.id = "gpu", .title = "GPU"};
  const auto started = std::chrono::steady_clock::now();
  WorkerOptions options;
  options.hello = kHelloPatience;
  WorkerClient worker(options, [](Envelope&) {});
  const auto begun = worker.start();
  while (begun && worker.state() == WorkerClient::State::Starting) worker.pump(std::chrono::milliseconds(100));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  const bool alive = worker.state() == WorkerClient::State::Idle;
  if (!alive) {
    engine.state = State::Fail;
    const auto path = default_worker_path();
    const bool there = ::access(path.c_str(), X_OK) == 0;
    engine.detail = !there  ? fmt::format("{} is not there", path.string())
                    : begun ? "rubato-worker ended or did not answer"
                            : begun.error().message;
    engine.remedy = there
                        ? fmt::format("Run 'ldd {}' to see which library it lacks, then build or install Rubato again.",
                                      path.string())
                        : "Build it (packaging/setup.sh fetches what it needs) or install the package that holds it.";
    gpu.state = State::Note;
    gpu.detail = "unknown without the engine";
    return {engine, gpu};
  }
  engine.detail = fmt::format("{} answers after {:.1f} s", default_worker_path().string(), seconds);
  engine.facts = {{"path", default_worker_path().string()}, {"start_s", seconds}, {"devices", nlohmann::json::array()}};
  std::vector<std::string> gpus;
  for (const auto& device : worker.devices()) {
    engine.facts["devices"].push_back({{"id", device.id}, {"name", device.name}, {"bytes", device.bytes}});
    if (device.id.starts_with("cuda"))
      gpus.push_back(fmt::format("{} {}{}", device.id, device.name,
                                 device.bytes > 0 ? fmt::format(" ({})", human_bytes(device.bytes)) : std::string{}));
  }
  const auto isolation = check_isolation(worker.pid());
  worker.stop();

  const auto driver = nvidia_driver();
  gpu.facts = {{"driver", driver}, {"count", gpus.size()}};
  if (!gpus.empty()) {
    gpu.detail = fmt::format("{}, driver {}", join(gpus, ", "), driver.empty() ? "unknown" : driver);
  } else if (!has_nvidia_card()) {
    gpu.state = State::Note;
    gpu.detail = "no NVIDIA GPU: everything works on the CPU, slowly";
  } else if (driver.empty()) {
    gpu.state = State::Warn;
    gpu.detail = "there is an NVIDIA card, but its driver is not loaded";
    gpu.remedy = "Install NVIDIA's driver, version 580 or later, and restart the machine.";
  } else {
    gpu.state = State::Warn;
    gpu.detail = fmt::format("there is an NVIDIA card with driver {}, but the engine cannot use it", driver);
    gpu.remedy = "Install driver version 580 or later, and use an engine that was built with CUDA.";
  }
  return {engine, isolation, gpu};
}

Finding check_media() {
  Finding f{.id = "media", .title = "Media"};
  const auto program = sister_program("rubato-media");
  if (program.empty()) {
    f.state = State::Warn;
    f.detail = "rubato-media is not installed: no MP4, WebM, GIF or PNG can be written or inspected";
    f.remedy = "Install the package with rubato-media, or write tensors with -o clip.safetensors.";
    return f;
  }
  f.facts = {{"path", program.string()}};
  const auto support = MediaClient(program, 10).support();
  if (!support || !support->contains("encoders") || !(*support)["encoders"].is_object()) {
    f.state = State::Warn;
    f.detail = support ? "rubato-media gave no list of encoders" : support.error().message;
    f.remedy = "Install FFmpeg's libraries again, or write tensors with -o clip.safetensors.";
    return f;
  }
  f.facts.update(*support);
  std::vector<std::string> have, lack;
  for (const auto& [name, there] : (*support)["encoders"].items()) (there == true ? have : lack).push_back(name);
  f.detail = fmt::format("encoders {}", join(have, ", "));
  if (!lack.empty()) {
    f.state = State::Warn;
    f.detail += fmt::format("; without {}", join(lack, ", "));
    f.remedy = "Formats that need a missing encoder are refused; install an FFmpeg that has it.";
  }
  return f;
}

Finding check_practice(const ModelFolders& where) {
  Finding f{.id = "practice", .title = "Practice model"};
  if (where.practice.empty()) {
    f.state = State::Warn;
    f.detail = "Rubato's resources were not found";
    f.remedy = "Set RUBATO_RESOURCES to the resources folder, or name a model of your own with -m.";
    return f;
  }
  const auto folder = where.practice / "video";
  f.facts = {{"path", folder.string()}};
  const auto card = ModelCard::load(folder);
  std::vector<std::string> problems;
  if (!card)
    problems.push_back(card.error().message);
  else if (!*card)
    problems.push_back(fmt::format("{} is missing", (folder / ModelCard::kFileName).string()));
  else
    problems = (*card)->verify_checksums(folder);
  if (problems.empty()) {
    f.detail = fmt::format("{}, {} checksums agree", folder.string(), (*card)->checksums.size());
  } else {
    f.state = State::Warn;
    f.detail = join(problems, "; ");
    f.remedy = "Fetch or install Rubato's resources again.";
  }
  return f;
}

Finding check_model_folders(const Result<ModelFolders>& found) {
  Finding f{.id = "models", .title = "Model folders", .facts = {{"folders", nlohmann::json::array()}}};
  if (!found) {
    f.state = State::Fail;  // no command that looks for a model works until then
    f.detail = found.error().message;
    f.remedy = "'rubato-cli models scan DIR' writes the file anew once it is deleted.";
    return f;
  }
  const auto& where = *found;
  std::vector<std::string> names, unreadable;
  for (const auto& folder : where.folders) {
    names.push_back(folder.string());
    f.facts["folders"].push_back(folder.string());
    if (::access(folder.c_str(), R_OK | X_OK) != 0) unreadable.push_back(folder.string());
  }
  if (names.empty()) {
    f.state = State::Note;
    f.detail = "none remembered";
    f.remedy = "'rubato-cli models scan DIR' adds the folder that holds your models.";
  } else if (!unreadable.empty()) {
    f.state = State::Warn;
    f.detail = fmt::format("cannot be read: {}", join(unreadable, ", "));
    f.remedy = fmt::format("Mount or correct it, or forget it: rubato-cli models scan --forget {}", unreadable.front());
  } else {
    f.detail = join(names, ", ");
  }
  return f;
}

void print_for_people(const std::vector<Finding>& findings, Output& out) {
  for (const auto& f : findings) {
    out.result(printable(fmt::format("{:<4}  {:<15} {}", state_name(f.state), f.title, f.detail)));
    if (!f.remedy.empty()) out.result(printable(fmt::format("{:<22}→ {}", "", f.remedy)));
  }
}

Result<> run(const Context& context) {
  // A damaged list of folders is what doctor is for; a bad flag is not.
  const auto found = model_folders(context.folders, context.args);
  if (!found && found.error().code == ErrorCode::Usage) return found.error();
  const auto where = found ? *found : ModelFolders{.practice = resources_folder() / "practice"};
  std::vector<Finding> findings{
      {.id = "version", .title = "Rubato", .detail = fmt::format("{} ({})", kVersion, kGitRevision)}};
  for (auto& finding : check_engine()) findings.push_back(std::move(finding));
  for (auto& finding : {check_cpu(), check_memory(), check_disk(context.folders), check_folders(context.folders),
                        check_media(), check_practice(where), check_model_folders(found)})
    findings.push_back(finding);
  if (context.args.has("json")) {
    nlohmann::json checks = nlohmann::json::array();
    for (const auto& f : findings)
      checks.push_back({{"id", f.id},
                        {"state", state_name(f.state)},
                        {"detail", f.detail},
                        {"remedy", f.remedy},
                        {"facts", f.facts}});
    context.out.json({{"version", kVersion}, {"revision", kGitRevision}, {"checks", std::move(checks)}});
  } else {
    print_for_people(findings, context.out);
  }
  const auto failed =
      std::count_if(findings.begin(), findings.end(), [](const Finding& f) { return f.state == State::Fail; });
  if (failed > 0)
    return Error{ErrorCode::Failed, "Rubato cannot render on this machine as it is; the list above says what to do"};
  return {};
}

}  // namespace

const Command kDoctor{
    .path = "doctor",
    .summary = "Check whether this machine has what a render needs",
    .text =
        "Looks at the engine, GPU and driver, processor, memory, disk, media support and models, and says for each "
        "what to do.",
    .options = [] { return std::vector<Option>{models_dir_option()}; },
    .prints_json = true,
    .run = run,
};

}  // namespace rubato::cli
