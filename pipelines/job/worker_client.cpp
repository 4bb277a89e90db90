#include "pipelines/job/worker_client.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>
#include <optional>
#include <type_traits>

#include "engine/base/check.h"
#include "engine/base/ids.h"
#include "engine/base/json.h"
#include "pipelines/job/kept_work.h"
#include "pipelines/job/worker_process.h"

namespace rubato {
namespace {

using std::chrono::milliseconds;
using MonotonicClock = std::chrono::steady_clock;  // CLOCK_MONOTONIC, as the timerfd's
using Moment = MonotonicClock::time_point;

constexpr int kMessagesPerPump = 1000;           // a flood must not keep the caller from its signals
constexpr milliseconds kRoomForAMessage{5'000};  // how long the worker may leave its end of the socket full
constexpr milliseconds kClosingTime{1'000};      // between the end of the connection and the end of the process

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  RUBATO_CHECK(::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

}  // namespace

struct WorkerClient::Impl {
  struct Job {
    std::string id;
    nlohmann::json value;
    protocol::RunHints hints;
    bool sent = false;
    bool stopped_by_user = false;
    OutputWatch output;
    bool traced = false;
    std::string phase;
    int steps = 0;  // of the denoising; 0 until it begins
    std::optional<protocol::Checkpoint> checkpoint;
    std::optional<Moment> answer_by;  // after cancel(Now)
  };
  // The worker is being ended, or ends by itself. What it still says counts.
  struct Ending {
    std::string reason;  // "" = the way the process ended says it all
    Moment kill_at;
  };

  Impl(WorkerOptions o, Handler h) : options(std::move(o)), handler(std::move(h)) {
    if (options.executable.empty()) options.executable = default_worker_path();
    epoll = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
    timer = UniqueFd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    RUBATO_CHECK(epoll && timer, "no file descriptors left");
    watch(epoll.get(), timer.get());
  }

  State state() const {
    if (!worker) return State::Stopped;
    if (job) return greeted ? State::Busy : State::Starting;
    return greeted ? State::Idle : State::Starting;
  }

  Result<> start();
  Result<std::string> run(nlohmann::json value, protocol::RunHints hints);
  void send_job();
  void give_up_sending();
  void cancel(protocol::CancelWhen when);
  void receive();
  void take(Envelope envelope);
  void greet(const protocol::Hello& hello);
  void check_deadlines();
  void end_worker(std::string reason, int signal, milliseconds patience);
  void bury(int status);
  void fail_job(ErrorCode code, std::string message);
  std::string what_is_left() const;
  void arm_timer();
  void deliver();

  WorkerOptions options;
  Handler handler;
  UniqueFd epoll, timer;
  std::optional<WorkerProcess> worker;
  bool greeted = false;
  bool connected = false;
  Moment last_sign;
  std::optional<Ending> ending;
  std::optional<Job> job;
  std::vector<protocol::Device> devices;
  std::deque<Envelope> deliveries;  // for the handler
  bool more_to_read = false;
  bool pumping = false;
};

// ---- Starting and running ------------------------------------------------------------------------------------------

Result<> WorkerClient::Impl::start() {
  if (worker && (ending || worker->ended())) {  // a dead or dying one is not worth waiting for
    worker->signal(SIGKILL);
    bury(worker->ended(kRoomForAMessage).value_or(0));
  }
  if (worker) return {};
  RUBATO_TRY(process, WorkerProcess::spawn(options.executable, options.arguments));
  worker.emplace(std::move(process));
  watch(epoll.get(), worker->channel().fd());
  watch(epoll.get(), worker->pidfd());
  greeted = false;
  connected = true;
  last_sign = MonotonicClock::now();
  if (!worker->channel().send(protocol::Hello{}, -1, kRoomForAMessage).ok()) give_up_sending();
  arm_timer();
  return {};
}

Result<std::string> WorkerClient::Impl::run(nlohmann::json value, protocol::RunHints hints) {
  if (job)
    return Error{ErrorCode::Locked, fmt::format("the engine is busy with job {}; it runs one at a time", job->id)};
  RUBATO_OK(start());
  const auto given = text_member(value, "id");
  const std::string id = given.empty() ? new_ulid() : given;
  job.emplace(Job{.id = id, .value = std::move(value), .hints = std::move(hints)});
  job->output = OutputWatch(text_member(job->value, "out"));
  job->traced = !text_member(job->value, "trace").empty();
  if (greeted) send_job();
  arm_timer();
  return id;
}

void WorkerClient::Impl::send_job() {
  job->sent = true;
  const auto sent = worker->channel().send(protocol::Run{job->id, std::move(job->value), std::move(job->hints)}, -1,
                                           kRoomForAMessage);
  if (sent.ok()) return;
  if (sent.error().code == ErrorCode::JobInvalid)
    fail_job(ErrorCode::JobInvalid, sent.error().message);
  else
    give_up_sending();
}

// A worker that does not take a message is dead, and then the way it ended is the reason, or hangs.
void WorkerClient::Impl::give_up_sending() {
  if (!worker->ended(kClosingTime)) end_worker("takes no messages", SIGKILL, milliseconds{0});
}

void WorkerClient::Impl::cancel(protocol::CancelWhen when) {
  if (!job) return;
  job->stopped_by_user = true;
  if (!job->sent) {  // the worker knows nothing of it
    fail_job(ErrorCode::Cancelled, "stopped before the engine had started");
    arm_timer();
    return;
  }
  const bool sent = worker->channel().send(protocol::Cancel{job->id, when}, -1, milliseconds{0}).ok();
  if (when == protocol::CancelWhen::Now)
    job->answer_by = MonotonicClock::now() + (sent ? options.cancel : milliseconds{0});
  arm_timer();
}

// ---- Listening ---------------------------------------------------------------------------------------------------

void WorkerClient::Impl::receive() {
  more_to_read = false;
  for (int n = 0; worker && connected; ++n) {
    if (n == kMessagesPerPump) {
      more_to_read = true;
      return;
    }
    auto message = worker->channel().receive(milliseconds{0});
    if (!message.ok()) {
      connected = false;  // and an end of file is readable for ever
      ::epoll_ctl(epoll.get(), EPOLL_CTL_DEL, worker->channel().fd(), nullptr);
      const bool nonsense = message.error().code == ErrorCode::Corrupt;
      if (!ending)
        end_worker(nonsense ? fmt::format("sent what it should not ({})", message.error().message) : "",
                   nonsense ? SIGKILL : 0, kClosingTime);
      return;
    }
    if (!message->has_value()) return;
    last_sign = MonotonicClock::now();
    take(std::move(**message));
  }
}

void WorkerClient::Impl::take(Envelope envelope) {
  if (const auto* hello = std::get_if<protocol::Hello>(&envelope.message)) {
    if (greeted) return;
    greet(*hello);
    if (greeted) deliveries.push_back(std::move(envelope));
    return;
  }
  // A cancelled job may still have messages on the way when the next one starts.
  if (!job || !job->sent || protocol::job_id(envelope.message) != job->id) return;
  const bool last = std::visit(
      [&](const auto& m) {
        using M = std::decay_t<decltype(m)>;
        if constexpr (std::is_same_v<M, protocol::Phase>) {
          job->phase = m.name;
          if (m.name == "denoise") job->steps = static_cast<int>(m.total);
        }
        if constexpr (std::is_same_v<M, protocol::Checkpoint>) job->checkpoint = m;
        return std::is_same_v<M, protocol::Done> || std::is_same_v<M, protocol::Failed>;
      },
      envelope.message);
  if (last) job.reset();
  deliveries.push_back(std::move(envelope));
}

void WorkerClient::Impl::greet(const protocol::Hello& hello) {
  if (hello.version != protocol::kVersion) {
    end_worker(
        fmt::format("speaks version {} of the protocol, this program version {}; install both from the same release",
                    hello.version, protocol::kVersion),
        SIGKILL, {});
    return;
  }
  greeted = true;
  devices = hello.devices;
  if (job && !job->sent) send_job();
}

// ---- Watching ----------------------------------------------------------------------------------------------------

void WorkerClient::Impl::check_deadlines() {
  if (!worker) return;
  const auto now = MonotonicClock::now();
  if (ending) {
    if (now < ending->kill_at) return;
    worker->signal(SIGKILL);
    ending->kill_at = now + kClosingTime;  // look again, should it take long
    return;
  }
  if (job && job->answer_by && now >= *job->answer_by) {
    end_worker("", SIGKILL, {});
  } else if (now >= last_sign + (greeted ? options.heartbeat : options.hello)) {
    end_worker(greeted ? "stopped answering and was ended" : "did not get ready in time and was ended", SIGTERM,
               options.terminate);
  }
}

// Gives the worker `patience` to end after `signal` (0 = none), then SIGKILL.
void WorkerClient::Impl::end_worker(std::string reason, int signal, milliseconds patience) {
  ending = Ending{std::move(reason), MonotonicClock::now() + patience};
  if (signal != 0) worker->signal(signal);
}

// The process has ended with this wait status.
void WorkerClient::Impl::bury(int status) {
  do {
    receive();  // its last words
  } while (more_to_read);
  const std::string end = ending && !ending->reason.empty() ? ending->reason : describe_end(status);
  const bool was_greeted = greeted;
  worker.reset();
  ending.reset();
  greeted = connected = more_to_read = false;
  if (job && job->stopped_by_user) {
    fail_job(ErrorCode::Cancelled, "stopped");
  } else if (job) {
    const std::string during = !was_greeted ? " while it started" : job->phase.empty() ? "" : " during " + job->phase;
    fail_job(ErrorCode::EngineDied, fmt::format("the engine {}{}", end, during));
  } else if (!was_greeted) {
    deliveries.push_back(
        {protocol::Failed{"", ErrorCode::EngineDied, fmt::format("the engine {} while it started", end), ""}, {}});
  }
}

void WorkerClient::Impl::fail_job(ErrorCode code, std::string message) {
  deliveries.push_back({protocol::Failed{job->id, code, std::move(message), what_is_left()}, {}});
  job.reset();
}

// The worker has no last word to say, so what exists speaks.
std::string WorkerClient::Impl::what_is_left() const {
  const auto& kept = job->checkpoint;
  if (job->output.finished())
    return fmt::format("{} was finished before that{}", job->output.output().string(),
                       kept ? fmt::format("; {} is not needed any more", kept->path) : "");
  return kept ? KeptWork{kept->step, job->steps, kept->path, job->traced}.sentence() : "";
}

// The timer makes fd() readable at the next deadline, or at once when there is work left.
void WorkerClient::Impl::arm_timer() {
  std::optional<Moment> next;
  const auto by = [&](Moment when) { next = next ? std::min(*next, when) : when; };
  if (!deliveries.empty() || more_to_read) by(MonotonicClock::now());
  if (worker && ending) by(ending->kill_at);
  if (worker && !ending) by(last_sign + (greeted ? options.heartbeat : options.hello));
  if (worker && !ending && job && job->answer_by) by(*job->answer_by);
  itimerspec spec{};
  if (next) {
    const auto ns = std::max<std::int64_t>(
        1, std::chrono::duration_cast<std::chrono::nanoseconds>(next->time_since_epoch()).count());
    spec.it_value.tv_sec = ns / 1'000'000'000;
    spec.it_value.tv_nsec = ns % 1'000'000'000;
  }
  ::timerfd_settime(timer.get(), TFD_TIMER_ABSTIME, &spec, nullptr);
}

void WorkerClient::Impl::deliver() {
  while (!deliveries.empty()) {
    Envelope envelope = std::move(deliveries.front());
    deliveries.pop_front();
    if (handler) handler(envelope);
  }
}

// ---- WorkerClient ------------------------------------------------------------------------------------------------

WorkerClient::WorkerClient(WorkerOptions options, Handler handler)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handler))) {}
WorkerClient::~WorkerClient() { stop(); }

Result<> WorkerClient::start() { return impl_->start(); }
Result<std::string> WorkerClient::run(nlohmann::json job, protocol::RunHints hints) {
  return impl_->run(std::move(job), std::move(hints));
}
void WorkerClient::cancel(protocol::CancelWhen when) { impl_->cancel(when); }

void WorkerClient::kill() {
  if (impl_->job) impl_->job->stopped_by_user = true;
  if (impl_->worker) impl_->end_worker("", SIGKILL, milliseconds{0});
  impl_->arm_timer();
}

void WorkerClient::stop(milliseconds grace) {
  Impl& impl = *impl_;
  if (!impl.worker) return;
  if (impl.job) {
    impl.job->stopped_by_user = true;
  } else {
    (void)impl.worker->channel().send(protocol::Quit{}, -1, milliseconds{0});
  }
  auto status = impl.job ? std::nullopt : impl.worker->ended(grace);
  if (!status) {
    impl.worker->signal(SIGKILL);
    status = impl.worker->ended(kRoomForAMessage);
  }
  impl.greeted = true;  // its end was asked for: nobody waits for a word about it
  impl.bury(status.value_or(0));
  impl.arm_timer();
}

int WorkerClient::fd() const { return impl_->epoll.get(); }

void WorkerClient::pump(milliseconds patience) {
  Impl& impl = *impl_;
  RUBATO_CHECK(!impl.pumping, "pump() called from its own handler");
  pollfd ready{impl.epoll.get(), POLLIN, 0};
  if (impl.deliveries.empty() && ::poll(&ready, 1, static_cast<int>(patience.count())) < 0) return;  // a signal
  struct Flag {
    bool& on;
    explicit Flag(bool& b) : on(b) { on = true; }
    ~Flag() { on = false; }
  } flag(impl.pumping);
  std::uint64_t expirations = 0;
  (void)!::read(impl.timer.get(), &expirations, sizeof(expirations));
  if (const auto status = impl.worker ? impl.worker->ended() : std::nullopt) impl.bury(*status);
  impl.receive();
  impl.check_deadlines();
  impl.deliver();
  impl.arm_timer();
}

WorkerClient::State WorkerClient::state() const { return impl_->state(); }
int WorkerClient::pid() const { return impl_->worker ? impl_->worker->pid() : -1; }
const std::vector<protocol::Device>& WorkerClient::devices() const { return impl_->devices; }
const std::string& WorkerClient::phase() const {
  static const std::string none;
  return impl_->job ? impl_->job->phase : none;
}
std::uint64_t WorkerClient::ignored() const { return impl_->worker ? impl_->worker->channel().ignored() : 0; }

std::filesystem::path default_worker_path() {
  std::error_code none;
  return std::filesystem::read_symlink("/proc/self/exe", none).parent_path() / "rubato-worker";
}

}  // namespace rubato
