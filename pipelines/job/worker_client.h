// WorkerClient: starts rubato-worker, hands it jobs, and says what became of them, whatever happens to the worker.
//
// There is no thread inside. fd() becomes readable when there is something to do (a message, the worker's death, a
// deadline); then call pump(), which never blocks longer than asked and calls the handler from within. A command line
// polls fd() beside its signals; a window watches it with a socket notifier.
//
// Every job that run() accepted ends in exactly one Done or Failed message. When the worker dies, hangs or talks
// nonsense, the client writes the Failed itself: code EngineDied, "the engine died (SIGKILL) during denoise", and in
// `kept` what is left: what the last checkpoint kept, or that the output (the job's `out`, if it has one) was finished
// before. A worker that fails before its hello while no job waits is reported by a Failed with an empty id.
//
// The worker gets its socket as file descriptor 3, no standard input, standard output joined to standard error, and a
// process group of its own, so that Ctrl-C in a terminal reaches only the client. It is killed when the *thread* that
// called start() or run() ends (that is how the kernel's parent-death signal counts), so call them from a thread that
// lives as long as the program.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "pipelines/job/channel.h"

namespace rubato {

struct WorkerOptions {
  std::filesystem::path executable;    // empty: rubato-worker beside the running program
  std::vector<std::string> arguments;  // after the program's name
  // How long the worker may take. Tests shorten them.
  std::chrono::milliseconds hello{60'000};      // to say hello: loading libtorch and looking for GPUs
  std::chrono::milliseconds heartbeat{10'000};  // between two signs of life, then SIGTERM
  std::chrono::milliseconds terminate{5'000};   // after SIGTERM, then SIGKILL
  std::chrono::milliseconds cancel{2'000};      // to answer cancel(Now), then SIGKILL
};

class WorkerClient {
 public:
  enum class State { Stopped, Starting, Idle, Busy };
  // Called from pump() with each message of the running job, and with the worker's Hello. It may call any member of
  // the client but must not destroy it; a memfd that it does not take is closed.
  using Handler = std::function<void(Envelope&)>;

  WorkerClient(WorkerOptions options, Handler handler);
  ~WorkerClient();  // asks the worker to quit, kills it after a moment
  WorkerClient(const WorkerClient&) = delete;
  WorkerClient& operator=(const WorkerClient&) = delete;

  // Starts the worker; a no-op while one runs. EngineDied when the program cannot be started.
  Result<> start();
  // Starts a worker if none runs, hands it the job (`{"kind":"video",…}`) and returns the job's id (the job's own or a
  // new ULID). One job at a time: Locked while another runs.
  Result<std::string> run(nlohmann::json job, protocol::RunHints hints = {});
  // Asks the running job to stop. AfterStep may take as long as a step does; Now kills the worker when it does not
  // answer in time. Either way the job ends in Failed with code Cancelled. No-op when nothing runs.
  void cancel(protocol::CancelWhen when);
  // Ends the worker at once. A running job ends in Failed (code Cancelled) at the next pump().
  void kill();
  // Asks the worker to quit and waits for it for at most `grace`, then kills it. A running job ends in Failed.
  void stop(std::chrono::milliseconds grace = std::chrono::milliseconds{1'000});

  int fd() const;
  // Handles what is there; waits up to `patience` for something. Returns early when a signal arrives.
  void pump(std::chrono::milliseconds patience = std::chrono::milliseconds{0});

  State state() const;
  int pid() const;                                       // -1 when no worker runs
  const std::vector<protocol::Device>& devices() const;  // of the last hello
  const std::string& phase() const;                      // of the running job
  std::uint64_t ignored() const;                         // messages of unknown type from this worker

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// rubato-worker beside the running program.
std::filesystem::path default_worker_path();

// "SIGKILL" for 9; "signal 63" for one without a name.
std::string signal_name(int signal);

}  // namespace rubato
