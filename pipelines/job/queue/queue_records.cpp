// What a job leaves in the queue: progress, events, outputs, checkpoints, times.
#include <algorithm>
#include <cmath>

#include "pipelines/job/queue/queue_store_state.h"

namespace rubato {

using sqlite::Transaction;

namespace {

constexpr std::int64_t kCheckpointsKept = 2;

std::int64_t signed_bytes(std::uint64_t bytes) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(bytes, INT64_MAX));
}

}  // namespace

Result<std::int64_t> QueueStore::State::append_event(std::string_view id, std::string_view json) const {
  RUBATO_TRY(last, db().integer("SELECT max(seq) FROM events WHERE job = ?1", id));
  const auto seq = last.value_or(0) + 1;
  RUBATO_OK(db().run("INSERT INTO events VALUES (?1, ?2, ?3, ?4)", id, seq, unix_now(), json));
  return seq;
}

Result<> QueueStore::set_progress(std::string_view id, std::string_view phase, double fraction, double eta_s) {
  RUBATO_OK(state_->writable());
  RUBATO_OK(state_->must_exist(id));
  return state_->db().run("UPDATE jobs SET phase = ?2, fraction = ?3, eta = ?4 WHERE id = ?1", id, phase,
                          std::isfinite(fraction) ? std::clamp(fraction, 0.0, 1.0) : 0.0,
                          std::isfinite(eta_s) ? eta_s : -1.0);
}

Result<std::int64_t> QueueStore::add_event(std::string_view id, std::string_view json) {
  RUBATO_OK(state_->writable());
  RUBATO_TRY(change, Transaction::begin(state_->db()));
  RUBATO_OK(state_->must_exist(id));
  RUBATO_TRY(seq, state_->append_event(id, json));
  RUBATO_OK(change.commit());
  return seq;
}

Result<std::vector<JobEvent>> QueueStore::events(std::string_view id) const {
  RUBATO_OK(state_->must_exist(id));
  RUBATO_TRY(select, state_->db().prepare("SELECT seq, ts, json FROM events WHERE job = ?1 ORDER BY seq"));
  select.bind(id);
  std::vector<JobEvent> events;
  while (true) {
    RUBATO_TRY(row, select.step());
    if (!row) return events;
    events.push_back({select.integer(0), select.real(1), select.text(2)});
  }
}

Result<> QueueStore::add_output(std::string_view id, const JobOutput& output) {
  RUBATO_OK(state_->writable());
  RUBATO_OK(state_->must_exist(id));
  return state_->db().run("INSERT OR REPLACE INTO outputs VALUES (?1, ?2, ?3, ?4, ?5)", id, output.path, output.sha256,
                          signed_bytes(output.bytes), output.kind);
}

Result<std::vector<JobOutput>> QueueStore::outputs(std::string_view id) const {
  RUBATO_OK(state_->must_exist(id));
  RUBATO_TRY(select,
             state_->db().prepare("SELECT path, sha256, kind, bytes FROM outputs WHERE job = ?1 ORDER BY path"));
  select.bind(id);
  std::vector<JobOutput> outputs;
  while (true) {
    RUBATO_TRY(row, select.step());
    if (!row) return outputs;
    outputs.push_back({select.text(0), select.text(1), select.text(2), static_cast<std::uint64_t>(select.integer(3))});
  }
}

Result<std::vector<std::string>> QueueStore::add_checkpoint(std::string_view id, const JobCheckpoint& checkpoint) {
  RUBATO_OK(state_->writable());
  RUBATO_TRY(change, Transaction::begin(state_->db()));
  RUBATO_OK(state_->must_exist(id));
  RUBATO_OK(state_->db().run("INSERT OR REPLACE INTO checkpoints VALUES (?1, ?2, ?3, ?4, ?5)", id, checkpoint.step,
                             checkpoint.path, checkpoint.sha256, signed_bytes(checkpoint.bytes)));
  RUBATO_TRY(all, checkpoints(id));
  std::vector<std::string> spare;
  const auto is_kept = [&](const std::string& path) {  // a checkpoint may be written over the one before
    return std::any_of(all.begin(), all.begin() + std::min<std::ptrdiff_t>(std::ssize(all), kCheckpointsKept),
                       [&](const JobCheckpoint& kept) { return kept.path == path; });
  };
  for (std::size_t i = kCheckpointsKept; i < all.size(); ++i) {
    RUBATO_OK(state_->db().run("DELETE FROM checkpoints WHERE job = ?1 AND step = ?2", id, all[i].step));
    if (!is_kept(all[i].path)) spare.push_back(all[i].path);
  }
  RUBATO_OK(change.commit());
  return spare;
}

Result<std::vector<JobCheckpoint>> QueueStore::checkpoints(std::string_view id) const {
  RUBATO_OK(state_->must_exist(id));
  RUBATO_TRY(select, state_->db().prepare(
                         "SELECT step, path, sha256, bytes FROM checkpoints WHERE job = ?1 ORDER BY step DESC"));
  select.bind(id);
  std::vector<JobCheckpoint> checkpoints;
  while (true) {
    RUBATO_TRY(row, select.step());
    if (!row) return checkpoints;
    checkpoints.push_back({static_cast<int>(select.integer(0)), select.text(1), select.text(2),
                           static_cast<std::uint64_t>(select.integer(3))});
  }
}

Result<> QueueStore::clear_checkpoints(std::string_view id) {
  RUBATO_OK(state_->writable());
  RUBATO_OK(state_->must_exist(id));
  return state_->db().run("DELETE FROM checkpoints WHERE job = ?1", id);
}

Result<> QueueStore::add_timing(std::string_view id, std::string_view phase, double seconds, std::int64_t units) {
  RUBATO_OK(state_->writable());
  RUBATO_OK(state_->must_exist(id));
  return state_->db().run("INSERT OR REPLACE INTO timings VALUES (?1, ?2, ?3, ?4)", id, phase,
                          std::isfinite(seconds) ? seconds : 0.0, units);
}

}  // namespace rubato
