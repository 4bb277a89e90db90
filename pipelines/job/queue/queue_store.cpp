#include "pipelines/job/queue/queue_store.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/base/ids.h"
#include "engine/base/text.h"
#include "pipelines/job/queue/queue_store_state.h"

namespace rubato {

using sqlite::Transaction;

const std::string_view kJobColumns =
    "id, name, key, spec, state, reason, priority, position, created, started, ended, attempts, deaths, worker, "
    "device, "
    "ran_on, phase, fraction, eta, error_code, error_text, parent, batch";

QueueJob read_job(const sqlite::Statement& row) {
  QueueJob job;
  int at = 0;
  for (auto* text : {&job.id, &job.name, &job.key, &job.spec}) *text = row.text(at++);
  job.state = state_from_name(row.text(at++)).value_or(JobState::Suspended);  // of a newer version: not to be run
  job.reason = row.text(at++);
  for (auto* real : {&job.priority, &job.position, &job.created, &job.started, &job.ended}) *real = row.real(at++);
  for (auto* count : {&job.attempts, &job.deaths}) *count = static_cast<int>(row.integer(at++));
  for (auto* text : {&job.worker, &job.device, &job.ran_on, &job.phase}) *text = row.text(at++);
  job.fraction = row.real(at++);
  job.eta_s = row.real(at++);
  for (auto* text : {&job.error_code, &job.error_text, &job.parent, &job.batch}) *text = row.text(at++);
  return job;
}

double unix_now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

// ---- Opening ------------------------------------------------------------------------------------------------------
QueueStore::QueueStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
QueueStore::QueueStore(QueueStore&&) noexcept = default;
QueueStore& QueueStore::operator=(QueueStore&& other) noexcept {
  QueueStore gone(std::move(*this));
  state_ = std::move(other.state_);
  return *this;
}
QueueStore::~QueueStore() {
  if (!state_ || state_->opened.read_only) return;
  state_->outer.reset();
  (void)state_->db().run("DELETE FROM meta WHERE name = 'session'");
}

Result<QueueStore> QueueStore::open(const std::filesystem::path& file, QueueMode mode, const QueueOptions& options) {
  RUBATO_TRY(opened, open_queue_file(file, mode, options.program));
  auto state = std::make_unique<State>(State{std::move(opened), file, {}});
  if (!state->opened.read_only) RUBATO_OK(state->take_session(options));
  return QueueStore(std::move(state));
}

Result<> QueueStore::State::take_session(const QueueOptions& options) {
  RUBATO_TRY(change_all, Transaction::begin(db()));
  RUBATO_TRY(before, db().text("SELECT value FROM meta WHERE name = 'session'"));
  if (before) {
    std::vector<std::string> running;
    RUBATO_TRY(select, db().prepare("SELECT id FROM jobs WHERE state = 'running'"));
    while (true) {
      RUBATO_TRY(row, select.step());
      if (!row) break;
      running.push_back(select.text(0));
    }
    for (const auto& id : running) {
      RUBATO_OK(change(id, JobState::Interrupted, "the program that ran it ended unexpectedly"));
      if (!options.pause_after_crash) RUBATO_OK(change(id, JobState::Queued, {}));
    }
    std::string note = "the last session did not end properly";
    if (!running.empty())
      note += fmt::format(": {} job{} interrupted", running.size(), running.size() == 1 ? " was" : "s were");
    if (options.pause_after_crash) {
      const std::string pause = "the last session did not end properly";
      // A queue that a person paused stays paused by that person.
      RUBATO_OK(db().run("INSERT OR IGNORE INTO meta VALUES ('paused', ?1)", pause));
      note += "; the queue is paused until you resume it";
    }
    opened.notes.push_back(std::move(note));
  }
  RUBATO_OK(db().run("INSERT OR REPLACE INTO meta VALUES ('session', ?1)",
                     fmt::format("{} {}", options.program, ::getpid())));
  return change_all.commit();
}

const std::vector<std::string>& QueueStore::notes() const { return state_->opened.notes; }
bool QueueStore::read_only() const { return state_->opened.read_only; }

Result<bool> QueueStore::left_behind() const {
  if (!read_only()) return false;
  RUBATO_TRY(session, state_->db().text("SELECT value FROM meta WHERE name = 'session'"));
  if (!session) return false;
  return InstanceLock::is_free(InstanceLock::beside(state_->file));
}

const std::filesystem::path& QueueStore::file() const { return state_->file; }

Result<> QueueStore::State::writable() const {
  if (!opened.read_only) return {};
  return Error{ErrorCode::CannotWrite,
               opened.newer ? fmt::format("{} was written by a newer version of Rubato and is only read; use that "
                                          "version to change it",
                                          file.string())
                            : fmt::format("{} was opened to be read only", file.string())};
}

Result<> QueueStore::begin() {
  RUBATO_OK(state_->writable());
  RUBATO_TRY(change, Transaction::begin(state_->db()));
  state_->outer.emplace(std::move(change));
  return {};
}
Result<> QueueStore::commit() {
  auto done = state_->outer->commit();
  state_->outer.reset();
  return done;
}
void QueueStore::roll_back() { state_->outer.reset(); }

// ---- Looking ------------------------------------------------------------------------------------------------------
Error QueueStore::State::unknown(std::string_view id) const {
  return {ErrorCode::Usage, fmt::format("the queue holds no job '{}'", clip_utf8(id, 100))};
}

Result<JobState> QueueStore::State::state_of(std::string_view id) const {
  RUBATO_TRY(name, db().text("SELECT state FROM jobs WHERE id = ?1", id));
  if (!name) return unknown(id);
  return state_from_name(*name).value_or(JobState::Suspended);
}

Result<> QueueStore::State::must_exist(std::string_view id) const {
  RUBATO_TRY(found, db().integer("SELECT 1 FROM jobs WHERE id = ?1", id));
  return found ? Result<>() : unknown(id);
}

namespace {

Result<> read_after(const sqlite::Database& database, std::vector<QueueJob>& jobs) {
  RUBATO_TRY(any, database.integer("SELECT 1 FROM dependencies LIMIT 1"));
  if (!any) return {};
  RUBATO_TRY(select, database.prepare("SELECT waits_for FROM dependencies WHERE job = ?1"));
  for (auto& job : jobs) {
    select.bind(job.id);
    while (true) {
      RUBATO_TRY(row, select.step());
      if (!row) break;
      job.after.push_back(select.text(0));
    }
  }
  return {};
}

}  // namespace

Result<std::optional<QueueJob>> QueueStore::find(std::string_view id) const {
  RUBATO_TRY(select, state_->db().prepare(fmt::format("SELECT {} FROM jobs WHERE id = ?1", kJobColumns)));
  RUBATO_TRY(row, select.bind(id).step());
  if (!row) return std::optional<QueueJob>{};
  std::vector<QueueJob> job{read_job(select)};
  RUBATO_OK(read_after(state_->db(), job));
  return std::optional(std::move(job[0]));
}

std::string QueueStore::status(std::string_view id) const {
  const auto state = state_->state_of(id);
  return state ? std::string(state_name(*state)) : "unknown";
}

Result<std::string> QueueStore::id_of(std::string_view prefix) const {
  if (prefix.empty() || !is_valid_utf8(prefix))
    return Error{ErrorCode::Usage, "give the id of a job, or its beginning"};
  const auto& db = state_->db();
  RUBATO_TRY(exact, db.text("SELECT id FROM jobs WHERE id = ?1", prefix));
  if (exact) return *exact;
  std::string upper(prefix);  // ULIDs are written in capitals, people type small letters
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  // Six letters or more of the end count as well: ids that were made together begin alike. The last letter of UTF-8
  // closes the range.
  RUBATO_TRY(select, db.prepare("SELECT id FROM jobs WHERE (id >= ?1 AND id < ?1 || char(1114111)) "
                                "OR (id >= ?2 AND id < ?2 || char(1114111)) LIMIT 4"));
  RUBATO_TRY(ending, db.prepare("SELECT id FROM jobs WHERE substr(id, -6) IN (substr(?1, -6), substr(?2, -6)) "
                                "AND substr(id, -length(?1)) IN (?1, ?2) LIMIT 4"));
  std::vector<std::string> found;
  for (auto* query : {&select, &ending}) {
    if (!found.empty() || (query == &ending && prefix.size() < 6)) break;
    query->bind(prefix, upper);
    while (true) {
      RUBATO_TRY(row, query->step());
      if (!row) break;
      found.push_back(query->text(0));
    }
  }
  if (found.size() == 1) return found[0];
  if (found.size() > 1)
    return Error{ErrorCode::Usage,
                 fmt::format("'{}' is the beginning or end of several jobs: {}{}; give more of the id", prefix,
                             join(std::span(found).first(std::min<std::size_t>(found.size(), 3)), ", "),
                             found.size() > 3 ? ", …" : "")};
  // The nearest among the newest, as far as they were typed.
  std::vector<std::string> ids, heads;
  RUBATO_TRY(newest, db.prepare("SELECT id FROM jobs ORDER BY rowid DESC LIMIT 1000"));
  while (true) {
    RUBATO_TRY(row, newest.step());
    if (!row) break;
    ids.push_back(newest.text(0));
    heads.push_back(ids.back().substr(0, prefix.size()));
  }
  if (ids.empty())
    return Error{ErrorCode::Usage, fmt::format("there is no job '{}': the queue is empty", clip_utf8(prefix, 100))};
  auto error = state_->unknown(prefix);
  const auto near = nearest_name(upper, heads);
  const auto whole = near ? *near : nearest_name(prefix, heads).value_or("");
  if (const auto at = std::find(heads.begin(), heads.end(), whole); !whole.empty() && at != heads.end())
    error.message += fmt::format("; did you mean '{}'?", ids[static_cast<std::size_t>(at - heads.begin())]);
  return error;
}

Result<std::vector<QueueJob>> QueueStore::list(const QueueFilter& filter) const {
  const auto wanted = filter.offset + filter.limit;
  std::vector<QueueJob> jobs;
  const auto read = [&](std::string_view where, const std::string& state) -> Result<> {
    auto sql = fmt::format("SELECT {} FROM jobs WHERE {}{} ORDER BY priority DESC, position LIMIT ?3", kJobColumns,
                           where, filter.batch.empty() ? "" : " AND batch <> '' AND batch = ?2");
    RUBATO_TRY(select, state_->db().prepare(sql));
    select.bind(state, filter.batch, static_cast<std::int64_t>(wanted));
    while (true) {
      RUBATO_TRY(row, select.step());
      if (!row) return {};
      jobs.push_back(read_job(select));
    }
  };
  // A query for each state, so that each is read along its index.
  if (filter.states.empty()) RUBATO_OK(read("?1 = ?1", ""));
  for (const auto state : filter.states) RUBATO_OK(read("state = ?1", std::string(state_name(state))));
  if (filter.states.size() > 1)
    std::stable_sort(jobs.begin(), jobs.end(), [](const QueueJob& a, const QueueJob& b) {
      return a.priority != b.priority ? a.priority > b.priority : a.position < b.position;
    });
  jobs.erase(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(std::min(filter.offset, jobs.size())));
  if (jobs.size() > filter.limit) jobs.resize(filter.limit);
  RUBATO_OK(read_after(state_->db(), jobs));
  return jobs;
}

Result<std::map<JobState, std::int64_t>> QueueStore::totals() const {
  std::map<JobState, std::int64_t> totals;
  for (const auto state : kJobStates) totals[state] = 0;
  RUBATO_TRY(select, state_->db().prepare("SELECT state, jobs FROM totals"));
  while (true) {
    RUBATO_TRY(row, select.step());
    if (!row) return totals;
    if (const auto state = state_from_name(select.text(0))) totals[*state] = select.integer(1);
  }
}

// ---- States -------------------------------------------------------------------------------------------------------
Result<std::string> QueueStore::State::waits_for(std::string_view id) const {
  RUBATO_TRY(select, db().prepare("SELECT j.id, j.name, j.state FROM dependencies d JOIN jobs j ON j.id = d.waits_for "
                                  "WHERE d.job = ?1 AND j.state <> 'done' "
                                  "ORDER BY j.state IN ('failed', 'cancelled') DESC LIMIT 1"));
  RUBATO_TRY(row, select.bind(id).step());
  if (!row) return std::string{};
  const auto name = select.text(1).empty() ? select.text(0) : select.text(1);
  const auto state = select.text(2);
  if (state == "failed") return fmt::format("waits for {}, which failed; retry that one first", name);
  if (state == "cancelled") return fmt::format("waits for {}, which was cancelled; retry that one first", name);
  return fmt::format("waits for {}", name);
}

Result<> QueueStore::State::tell_dependents(std::string_view id, JobState now) const {
  std::vector<std::string> waiting;
  RUBATO_TRY(select, db().prepare("SELECT d.job FROM dependencies d JOIN jobs j ON j.id = d.job "
                                  "WHERE d.waits_for = ?1 AND j.state = 'blocked'"));
  select.bind(id);
  while (true) {
    RUBATO_TRY(row, select.step());
    if (!row) break;
    waiting.push_back(select.text(0));
  }
  for (const auto& job : waiting) {
    RUBATO_TRY(reason, waits_for(job));
    if (now == JobState::Done && reason.empty())
      RUBATO_OK(change(job, JobState::Queued, {}));
    else
      RUBATO_OK(db().run("UPDATE jobs SET reason = ?2 WHERE id = ?1", job, reason));
  }
  return {};
}

Result<> QueueStore::State::change(std::string_view id, JobState to, std::string_view reason) const {
  RUBATO_TRY(from, state_of(id));
  if (!may_follow(from, to)) return Error{ErrorCode::Usage, fmt::format("{}: {}", id, refusal(from, to))};
  RUBATO_TRY(waits, to == JobState::Queued || to == JobState::Blocked ? waits_for(id) : Result<std::string>(""));
  if (from == JobState::Blocked && to == JobState::Queued && !waits.empty())
    return Error{ErrorCode::Usage, fmt::format("{} cannot be queued: it {}", id, waits)};
  if (to == JobState::Blocked && waits.empty())
    return Error{ErrorCode::Usage, fmt::format("{} cannot be blocked: it waits for no job", id)};
  const std::string why(to == JobState::Blocked ? std::string_view(waits) : reason);

  const double now = unix_now();
  switch (to) {
    case JobState::Running:
      RUBATO_OK(
          db().run("UPDATE jobs SET state = 'running', reason = '', started = ?2, ended = 0, attempts = attempts + 1, "
                   "error_code = '', error_text = '', eta = -1 WHERE id = ?1",
                   id, now));
      break;
    case JobState::Done:
      RUBATO_OK(db().run("UPDATE jobs SET state = 'done', reason = '', ended = ?2, fraction = 1, eta = 0 WHERE id = ?1",
                         id, now));
      break;
    default: {
      const bool ends = to == JobState::Failed || to == JobState::Cancelled;
      RUBATO_OK(
          db().run("UPDATE jobs SET state = ?2, reason = ?3, eta = -1, ended = CASE WHEN ?4 THEN ?5 ELSE ended END "
                   "WHERE id = ?1",
                   id, state_name(to), why, ends ? 1 : 0, now));
    }
  }
  nlohmann::json event{{"state", state_name(to)}};
  if (!why.empty()) event["reason"] = why;
  RUBATO_OK(append_event(id, event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));

  // Queued, but not everything that it waits for is done: queued → blocked.
  if (to == JobState::Queued && !waits.empty()) return change(id, JobState::Blocked, {});
  // Jobs that wait for this one learn about it, also when a failed one is tried again.
  const bool matters =
      to == JobState::Done || to == JobState::Failed || to == JobState::Cancelled || from == JobState::Suspended;
  return matters ? tell_dependents(id, to) : Result<>();
}

// A change of one job as one transaction.
#define RUBATO_CHANGE(name)      \
  RUBATO_OK(state_->writable()); \
  RUBATO_TRY(name, Transaction::begin(state_->db()))

Result<> QueueStore::set_state(std::string_view id, JobState state, std::string_view reason) {
  RUBATO_CHANGE(change);
  RUBATO_OK(state_->change(id, state, reason));
  return change.commit();
}

Result<> QueueStore::started(std::string_view id, std::string_view device, std::string_view worker) {
  RUBATO_CHANGE(change);
  RUBATO_OK(state_->change(id, JobState::Running, {}));
  RUBATO_OK(state_->db().run("UPDATE jobs SET ran_on = ?2, worker = ?3 WHERE id = ?1", id, device, worker));
  return change.commit();
}

Result<> QueueStore::finished(std::string_view id) { return set_state(id, JobState::Done); }

Result<> QueueStore::State::note_error(std::string_view id, const Error& error) const {
  return db().run("UPDATE jobs SET error_code = ?2, error_text = ?3 WHERE id = ?1", id, code_name(error.code),
                  error.message);
}

Result<> QueueStore::failed(std::string_view id, const Error& error) {
  RUBATO_CHANGE(change);
  RUBATO_OK(state_->change(id, JobState::Failed, error.message));
  RUBATO_OK(state_->note_error(id, error));
  return change.commit();
}

Result<> QueueStore::suspended(std::string_view id, std::string_view reason, const Error& error) {
  RUBATO_CHANGE(change);
  RUBATO_OK(state_->change(id, JobState::Suspended, reason));
  RUBATO_OK(state_->note_error(id, error));
  return change.commit();
}

Result<JobState> QueueStore::worker_died(std::string_view id, int retries, std::string_view text) {
  RUBATO_CHANGE(change);
  RUBATO_OK(state_->change(id, JobState::Interrupted, text.empty() ? "its worker died" : text));
  RUBATO_OK(state_->db().run("UPDATE jobs SET deaths = deaths + 1 WHERE id = ?1", id));
  RUBATO_TRY(deaths, state_->db().integer("SELECT deaths FROM jobs WHERE id = ?1", id));
  const auto now = deaths.value_or(1) <= retries ? JobState::Queued : JobState::Suspended;
  RUBATO_OK(state_->change(id, now, now == JobState::Queued ? "" : deaths >= 2 ? "quarantine" : "worker_died"));
  if (now == JobState::Suspended) RUBATO_OK(state_->note_error(id, {ErrorCode::EngineDied, std::string(text)}));
  RUBATO_OK(change.commit());
  return now;
}

Result<> QueueStore::cancel(std::string_view id, std::string_view reason) {
  return set_state(id, JobState::Cancelled, reason);
}

Result<> QueueStore::retry(std::string_view id) {
  RUBATO_CHANGE(change);
  RUBATO_TRY(state, state_->state_of(id));
  if (state == JobState::Queued || state == JobState::Running || state == JobState::Done || state == JobState::Blocked)
    return Error{ErrorCode::Usage,
                 fmt::format("{} is {}; only a failed, cancelled, suspended or interrupted job can be retried", id,
                             state_name(state))};
  if (state == JobState::Failed || state == JobState::Cancelled)
    RUBATO_OK(state_->change(id, JobState::Suspended, "to be tried again"));
  RUBATO_OK(state_->change(id, JobState::Queued, {}));
  RUBATO_OK(
      state_->db().run("UPDATE jobs SET deaths = 0, ended = 0, error_code = '', error_text = '' WHERE id = ?1", id));
  return change.commit();
}

Result<> QueueStore::remove(std::string_view id) {
  RUBATO_CHANGE(change);
  RUBATO_TRY(state, state_->state_of(id));
  if (state == JobState::Running) return Error{ErrorCode::Usage, fmt::format("{} is running; cancel it first", id)};
  RUBATO_TRY(waiting, state_->db().text("SELECT job FROM dependencies WHERE waits_for = ?1 LIMIT 1", id));
  if (waiting) return Error{ErrorCode::Usage, fmt::format("{} waits for {}; remove that one first", *waiting, id)};
  RUBATO_OK(state_->db().run("DELETE FROM jobs WHERE id = ?1", id));
  return change.commit();
}

// ---- Pause --------------------------------------------------------------------------------------------------------
Result<bool> QueueStore::paused() const {
  RUBATO_TRY(row, state_->db().integer("SELECT 1 FROM meta WHERE name = 'paused'"));
  return row.has_value();
}

Result<std::string> QueueStore::pause_reason() const {
  RUBATO_TRY(reason, state_->db().text("SELECT value FROM meta WHERE name = 'paused'"));
  return reason.value_or("");
}

Result<> QueueStore::pause(std::string_view reason) {
  RUBATO_OK(state_->writable());
  return state_->db().run("INSERT OR REPLACE INTO meta VALUES ('paused', ?1)", reason);
}

Result<> QueueStore::resume() {
  RUBATO_CHANGE(change);
  RUBATO_OK(state_->db().run("DELETE FROM meta WHERE name = 'paused'"));
  RUBATO_TRY(interrupted, list({.states = {JobState::Interrupted}}));
  for (const auto& job : interrupted) RUBATO_OK(state_->change(job.id, JobState::Queued, {}));
  return change.commit();
}

#undef RUBATO_CHANGE

}  // namespace rubato
