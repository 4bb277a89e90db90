// What becomes of a job in a run: done, failed, tried again, suspended.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <utility>

#include "engine/base/files.h"
#include "engine/base/json.h"
#include "pipelines/job/events.h"
#include "pipelines/job/run/run_session.h"
#include "pipelines/job/run/run_slot.h"

namespace rubato {
namespace fs = std::filesystem;
using Json = nlohmann::json;
namespace {

constexpr int kMostWriteFailures = 3;  // of a job, while the disk looks well
constexpr int kMostRenames = 10;       // of a job whose every new name is taken at once

// The parts of the work folder, by output.
constexpr std::array kParts{std::pair{"out", &VideoJob::out}, std::pair{"latents", &VideoJob::latents_out},
                            std::pair{"trace", &VideoJob::trace}};

// "a/frames/" and "a/clip.mp4" lie in "a".
fs::path folder_of(const std::string& out) {
  const fs::path path(out);
  return path.has_filename() ? path.parent_path() : path.parent_path().parent_path();
}
std::string base_of(const std::string& out) {
  const fs::path path(out);
  return path.has_filename() ? path.filename().string() : path.parent_path().filename().string() + "/";
}

// Of all files below a folder, which may change meanwhile.
std::uint64_t allocated_bytes(const fs::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code failed;
  for (fs::recursive_directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    struct stat info{};
    if (::lstat(entry->path().c_str(), &info) == 0 && S_ISREG(info.st_mode))
      bytes += static_cast<std::uint64_t>(info.st_blocks) * 512;  // the unit of st_blocks, whatever the file system's
  }
  return bytes;
}

}  // namespace

bool RunSession::suits(const RunJob& job, const Slot& slot) const {
  return job.job.device == "auto" || slot.wish == "auto" || job.job.device == slot.wish;
}

VideoJob RunSession::worker_job(const RunJob& job, const Slot& slot) const {
  auto given = job.job;
  const auto work = work_folder(job);
  given.out = (work / "out").string() + "/" + base_of(job.named);  // whatever free name it takes in the end
  if (!given.latents_out.empty()) given.latents_out = (work / "latents" / base_of(given.latents_out)).string();
  if (!given.trace.empty()) given.trace = (work / "trace" / base_of(given.trace)).string();
  given.overwrite = "always";  // in the work folder; the final name is publication's matter
  if (given.device == "auto") given.device = slot.device();
  return given;
}

DoneRecord RunSession::record_of(const RunJob& job, const protocol::Done& done, const Slot& slot) const {
  const auto work = work_folder(job);
  DoneRecord record;
  record.job = job.id();
  const auto add = [&](const fs::path& file, const std::string& kind) {
    const auto in_work = file.lexically_relative(work);
    const auto part = in_work.begin()->string();
    auto name = in_work.lexically_relative(part).string();
    const auto& named = part == "latents" ? job.job.latents_out : part == "trace" ? job.job.trace : job.job.out;
    if (part == "out") name = renamed_output(name, base_of(job.named), base_of(job.job.out));
    record.files.push_back({(folder_of(named) / name).string(), in_work.string(), kind, "", 0, 0});
  };
  for (const auto& output : done.outputs) add(output.path, output.kind);
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(work / "out", ignored))  // keep_latents
    if (entry.is_regular_file() && entry.path().parent_path().extension() == ".rubato-partial" &&
        !entry.path().filename().string().starts_with("."))
      add(entry.path(), "latents");
  record.frames_sha256 = text_member(done.report, "frames_sha256");
  record.facts = {{"named", job.named},
                  {"wall_s", std::chrono::duration<double>(Clock::now() - slot.job_started).count()},
                  {"device", slot.device()},
                  {"host", HostIdentity::of_this_process().host},
                  {"model", job.model},
                  {"model_hash", job.model_hash},
                  {"seed", *job.job.seed},
                  {"name", job.job.name},
                  {"prompt", job.job.prompt},
                  // What the report of a later run, of another job file, says of the job.
                  {"index", job.batch.index},
                  {"source", job.batch.source}};
  if (job.job.frames) record.facts["frames"] = *job.job.frames;
  if (job.job.steps) record.facts["steps"] = *job.job.steps;
  if (job.job.size) record.facts["size"] = Json::array({job.job.size->width, job.job.size->height});
  for (const char* name : {"seconds", "rubato", "libraries"})
    if (done.report.contains(name)) record.facts[name] = done.report[name];
  return record;
}

void RunSession::on_message(Slot& slot, Envelope& envelope) {
  const auto& message = envelope.message;
  if (const auto* failed = std::get_if<protocol::Failed>(&message)) {
    if (failed->id.empty())
      worker_ended(slot, failed->message);  // while it started
    else if (slot.job)
      on_failed(slot, *failed);
    return;
  }
  if (!slot.job) return;
  const auto job = *slot.job;
  if (const auto* done = std::get_if<protocol::Done>(&message)) return on_done(slot, *done);
  if (const auto* point = std::get_if<protocol::Checkpoint>(&message))
    record_->checkpoint(job, point->step, point->path);
  if (const auto* warning = std::get_if<protocol::Warn>(&message)) {
    slot.under.resumed = slot.under.resumed || warning->code == "resumed";
    record_->event(job, {{"ev", "job.warn"}, {"code", warning->code}, {"message", warning->message}});
  }
  observer_.message(jobs_[job], message);
}

void RunSession::on_done(Slot& slot, const protocol::Done& done) {
  const auto job = *slot.job;
  auto& outcome = table_.outcome(job);
  slot.job.reset();
  slot.restarts.worked();
  slot.turn->give_back();
  outcome.seconds = std::chrono::duration<double>(Clock::now() - slot.job_started).count();
  outcome.phases.clear();
  if (const auto timings = done.report.find("seconds"); timings != done.report.end() && timings->is_object())
    for (const auto& [phase, seconds] : timings->items())
      if (seconds.is_number()) outcome.phases.emplace_back(phase, seconds.get<double>());
  if (options_.learn) options_.learn(jobs_[job], done.report, slot.under);
  if (!keeps_claim(job)) return lose(job);  // its files are another's to publish
  auto record = record_of(jobs_[job], done, slot);
  record.facts["attempts"] = outcome.attempts;
  auto files = publication(job);
  if (auto decided = files.decide(record); !decided) {
    if (!keeps_claim(job)) return lose(job);
    undecided_[job] = {std::move(record), files.work_folder().filename().string()};
    return disk_trouble(job, decided.error());
  }
  publish(job);
}

// From the decision to the final names. Whatever stands in the way, the rendered files stay in the work folder.
void RunSession::publish(std::size_t job) {
  auto files = publication(job);
  auto published = files.publish(replace_of(options_.overwrite));
  for (int tries = 0; tries < kMostRenames && !published && options_.overwrite == RunOverwrite::Rename &&
                      published.error().code == ErrorCode::OutputExists;
       ++tries) {
    const auto renamed = take_other_name(job, files);
    published = renamed ? files.publish(Replace::Own) : Result<DoneRecord>(renamed.error());
  }
  if (!published) {
    if (!keeps_claim(job)) return lose(job);
    if (published.error().code == ErrorCode::CannotWrite) return disk_trouble(job, published.error());
    return settle(job, JobState::Failed, published.error().code, published.error().message);
  }
  take_record(job, *published);
  settle(job, JobState::Done);
}

// A name that was free when it was chosen is taken by now: the next one, for whichever of the job's outputs it is.
Result<> RunSession::take_other_name(std::size_t job, Publication& files) {
  if (!names_) {
    names_.emplace();
    for (const auto& other : jobs_) static_cast<void>(names_->claim(output_names(other.job), other.id()));
  }
  StandingFiles standing(options_.out);
  auto now = jobs_[job].job;
  now.out = jobs_[job].named;  // the next after the name that it was to have
  const auto decided = files.decision();
  if (!decided) return Error{ErrorCode::Corrupt, fmt::format("{} is damaged", files.work_folder().string())};
  const auto part_of = [](const PublishedFile& file) { return fs::path(file.work).begin()->string(); };
  for (const auto& [part, field] : kParts) {
    const bool taken = std::ranges::any_of(decided->files, [&, name = std::string(part)](const PublishedFile& file) {
      std::error_code failed;
      return part_of(file) == name && fs::exists(fs::symlink_status(options_.out / file.path, failed)) &&
             !files.may_replace(file.path, Replace::Own);
    });
    now.*field = taken ? standing.free_name(*names_, now, field, jobs_[job].id()) : jobs_[job].job.*field;
  }
  // Within the work folder nothing changes its name.
  return files.rename([&](const PublishedFile& file) {
    for (const auto& [part, field] : kParts) {
      if (part_of(file) != part || now.*field == jobs_[job].job.*field) continue;
      const auto name = fs::path(file.work).lexically_relative(part).string();
      const auto from = field == &VideoJob::out ? jobs_[job].named : jobs_[job].job.*field;
      return (folder_of(now.*field) / renamed_output(name, base_of(from), base_of(now.*field))).string();
    }
    return file.path;
  });
}

void RunSession::take_record(std::size_t job, const DoneRecord& record) {
  auto& outcome = table_.outcome(job);
  outcome.frames_sha256 = record.frames_sha256;
  outcome.outputs.clear();
  for (const auto& file : record.files) outcome.outputs.push_back({file.path, file.kind, file.bytes, file.sha256});
}

void RunSession::on_failed(Slot& slot, const protocol::Failed& failed) {
  const auto job = *slot.job;
  slot.job.reset();
  slot.turn->give_back();
  const auto sentence = failed.kept.empty() ? failed.message : failed.message + "; its work so far is kept";
  if (slot.claim_lost || !keeps_claim(job)) {
    if (failed.code == ErrorCode::EngineDied) worker_ended(slot, failed.message);
    return lose(job);  // whatever went wrong went wrong in a folder that is another's by now
  }
  switch (failed.code) {
    case ErrorCode::EngineDied:
      return on_death(job, slot, failed);
    case ErrorCode::CannotWrite:
      return disk_trouble(job, {failed.code, failed.message});
    case ErrorCode::Cancelled:
    case ErrorCode::Terminated:
      return settle(job, JobState::Interrupted, failed.code, sentence);
    default:
      settle(job, JobState::Failed, failed.code, sentence);
  }
}

// Is the job still ours? A claim that was only deleted is: had another process had the job meanwhile, the work folder
// would have gone with it.
bool RunSession::keeps_claim(std::size_t job) {
  const auto& key = jobs_[job].key;
  const auto hold = claims_->check(key);
  if (hold != Claims::Hold::Missing) return hold == Claims::Hold::Ours;
  std::error_code failed;
  if (!fs::exists(work_folder(jobs_[job]), failed) || !claims_->restore(key)) return false;
  observer_.note(fmt::format("somebody deleted {}, which says that {} is rendered here; it is there again",
                             claims_->file_of(key).string(), jobs_[job].id()));
  return true;
}

// Another process has the job: it waits until that one is done with it, or dead.
void RunSession::lose(std::size_t job) {
  ask_again_[job] = Clock::now();
  observer_.note(fmt::format("{} was taken over by {}, since this process did not answer for too long", jobs_[job].id(),
                             claims_->holder(jobs_[job].key)));
  settle(job, JobState::Queued);
}

void RunSession::on_death(std::size_t job, Slot& slot, const protocol::Failed& failed) {
  auto& outcome = table_.outcome(job);
  ++outcome.deaths;
  record_->event(job, {{"ev", "worker.died"}, {"message", failed.message}});
  if (outcome.deaths > options_.max_retries) {
    settle(job, JobState::Suspended, ErrorCode::EngineDied,
           fmt::format("quarantine: {} time{} in a row {}", outcome.deaths, outcome.deaths == 1 ? "" : "s",
                       failed.message));
  } else {
    observer_.note(fmt::format("{}: {}; it is tried again from {}", jobs_[job].id(), failed.message,
                               failed.kept.empty() ? "its beginning" : "its last checkpoint"));
    settle(job, JobState::Interrupted, failed.code, failed.message);
    settle(job, JobState::Queued);
  }
  worker_ended(slot, failed.message);
}

void RunSession::worker_ended(Slot& slot, const std::string& how) {
  slot.model.clear();
  const auto decision = slot.restarts.died(how);
  slot.not_before = Clock::now() + decision.delay;
  if (decision.restart) return;
  slot.given_up = decision.reason;
  observer_.note(fmt::format("the worker on {} is given up: {}", slot.wish, decision.reason));
  const bool all = std::all_of(slots_.begin(), slots_.end(), [](const auto& s) { return !s->given_up.empty(); });
  if (all)
    stop({ErrorCode::EngineDied, decision.reason});
  else
    settle_stranded();
}

// Jobs that no worker of this run will take: none is on their device, or those there are given up. The others go on.
void RunSession::settle_stranded() {
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    if (!table_.is_open(i) || table_.outcome(i).state == JobState::Running) continue;
    const Slot* given_up = nullptr;
    bool served = false;
    for (const auto& slot : slots_) {
      if (!suits(jobs_[i], *slot)) continue;
      served = served || slot->given_up.empty();
      if (!slot->given_up.empty()) given_up = slot.get();
    }
    if (served) continue;
    if (given_up != nullptr)
      settle(i, JobState::Failed, ErrorCode::EngineDied,
             fmt::format("it is to run on {}, where {}", jobs_[i].job.device, given_up->given_up));
    else
      settle(i, JobState::Failed, ErrorCode::NoDevice,
             fmt::format("it is to run on {}, which this run does not use", jobs_[i].job.device));
  }
}

// What a job takes of the disk from here on. What lies in its work folder is there already, for the worker goes on with
// it or replaces it; a clip that only waits to be published takes nothing more.
std::uint64_t RunSession::needed_bytes(std::size_t job) const {
  const auto& key = jobs_[job].key;
  const WorkFolders work(state_folder());
  if (undecided_.contains(job) || Publication(options_.out, key, work.of(key)).decided()) return 0;
  std::uint64_t there = 0;
  const auto [begin, end] = work.all().equal_range(key);
  for (auto folder = begin; folder != end; ++folder) there += allocated_bytes(folder->second);
  return jobs_[job].output_bytes - std::min(jobs_[job].output_bytes, there);
}

// What must be free before the jobs that wait for the disk are tried again: as much as start() asks for.
std::uint64_t RunSession::awaited_bytes() const {
  std::uint64_t most = 0;
  for (std::size_t i = 0; i < jobs_.size(); ++i)
    if (const auto& outcome = table_.outcomes()[i]; outcome.state == JobState::Suspended && outcome.reason == "no_disk")
      most = std::max(most, needed_bytes(i));
  return most;
}

// The output could not be written. The job waits, with all it has, until it can be.
void RunSession::disk_trouble(std::size_t job, const Error& error) {
  if (disk_.obstacle(needed_bytes(job)).empty() && ++write_failures_[job] >= kMostWriteFailures)
    return settle(job, JobState::Failed, error.code, error.message);
  settle(job, JobState::Suspended, ErrorCode::CannotWrite, "no_disk");
  if (disk_trouble_since_) return;
  disk_trouble_since_ = Clock::now();
  next_disk_look_ = Clock::now() + std::chrono::seconds(1);
  observer_.note(fmt::format("waiting for the disk: {}", error.message));
}

void RunSession::settle(std::size_t job, JobState state, ErrorCode code, std::string reason) {
  auto& outcome = table_.outcome(job);
  outcome.state = state;
  outcome.code = code;
  outcome.reason = std::move(reason);
  if (state != JobState::Running) claims_->release(jobs_[job].key);
  record_->ended(job);
  if (state != JobState::Queued) observer_.ended(jobs_[job], outcome);
  const bool failed = state == JobState::Failed || (state == JobState::Suspended && outcome.reason != "no_disk");
  if (failed && options_.stop_on_error)
    stop({code == ErrorCode::EngineDied ? code : ErrorCode::Failed,
          fmt::format("stopped at the first failure, {}: {}", jobs_[job].id(), outcome.reason)});
}

void RunSession::name_blocked() {
  if (stopped_) return;
  table_.leave_for_later();
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    if (!table_.is_open(i) || table_.outcome(i).state != JobState::Blocked) continue;
    for (const auto other : jobs_[i].after)
      if (table_.outcome(other).state != JobState::Done) {
        settle(i, JobState::Blocked, ErrorCode::Failed,
               fmt::format("it waits for {}, which is not done", jobs_[other].id()));
        break;
      }
  }
}

}  // namespace rubato
