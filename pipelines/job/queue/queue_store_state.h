// What the parts of QueueStore share: queue_store.cpp (jobs, states), queue_order.cpp, queue_records.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pipelines/job/queue/queue_file.h"
#include "pipelines/job/queue/queue_store.h"

namespace rubato {

double unix_now();  // seconds since 1970, UTC

struct QueueStore::State {
  QueueFile opened;
  std::filesystem::path file;
  std::optional<sqlite::Transaction> outer;  // of together()

  const sqlite::Database& db() const { return opened.database; }
  // CannotWrite for a store that was opened to read.
  Result<> writable() const;
  // Usage for an id that the queue does not hold.
  Result<JobState> state_of(std::string_view id) const;
  Result<> must_exist(std::string_view id) const;
  Error unknown(std::string_view id) const;

  Result<std::int64_t> append_event(std::string_view id, std::string_view json) const;
  Result<> note_error(std::string_view id, const Error& error) const;
  // One step of the table in job_state.h, with its event and what it means for the jobs that wait for this one. The
  // caller holds a transaction.
  Result<> change(std::string_view id, JobState to, std::string_view reason) const;
  // "waits for shot-1, which failed"; "" when all are done.
  Result<std::string> waits_for(std::string_view id) const;
  Result<> tell_dependents(std::string_view id, JobState now) const;
  // After a writer that did not close the file: its running jobs are interrupted.
  Result<> take_session(const QueueOptions& options);
};

// The columns of a job, in the order that read_job expects.
extern const std::string_view kJobColumns;
QueueJob read_job(const sqlite::Statement& row);

}  // namespace rubato
