#include "pipelines/job/queue/queue_schema.h"

#include <array>

namespace rubato {
namespace {

// jobs.position is fractional, so that a move changes one row. totals is kept by triggers: counting 100,000 rows for
// every look at the queue would take longer than everything else. meta: `session` stands there while a writer has the
// file open, `paused` while the queue is paused.
constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE jobs (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL DEFAULT '',
  key TEXT NOT NULL DEFAULT '',
  spec TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN
    ('queued', 'running', 'done', 'failed', 'cancelled', 'interrupted', 'suspended', 'blocked')),
  reason TEXT NOT NULL DEFAULT '',
  priority REAL NOT NULL DEFAULT 0,
  position REAL NOT NULL,
  created REAL NOT NULL,
  started REAL NOT NULL DEFAULT 0,
  ended REAL NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  deaths INTEGER NOT NULL DEFAULT 0,
  worker TEXT NOT NULL DEFAULT '',
  device TEXT NOT NULL DEFAULT '',
  ran_on TEXT NOT NULL DEFAULT '',
  phase TEXT NOT NULL DEFAULT '',
  fraction REAL NOT NULL DEFAULT 0,
  eta REAL NOT NULL DEFAULT -1,
  error_code TEXT NOT NULL DEFAULT '',
  error_text TEXT NOT NULL DEFAULT '',
  parent TEXT NOT NULL DEFAULT '',
  batch TEXT NOT NULL DEFAULT ''
);
CREATE INDEX jobs_order ON jobs (priority DESC, position);
CREATE INDEX jobs_state ON jobs (state, priority DESC, position);
CREATE INDEX jobs_next ON jobs (device, priority DESC, position) WHERE state = 'queued';
CREATE INDEX jobs_tail ON jobs (substr(id, -6));
CREATE INDEX jobs_batch ON jobs (batch, priority DESC, position) WHERE batch <> '';

CREATE TABLE totals (state TEXT PRIMARY KEY, jobs INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO totals VALUES ('queued', 0), ('running', 0), ('done', 0), ('failed', 0),
  ('cancelled', 0), ('interrupted', 0), ('suspended', 0), ('blocked', 0);
CREATE TRIGGER jobs_added AFTER INSERT ON jobs BEGIN
  UPDATE totals SET jobs = jobs + 1 WHERE state = NEW.state;
END;
CREATE TRIGGER jobs_removed AFTER DELETE ON jobs BEGIN
  UPDATE totals SET jobs = jobs - 1 WHERE state = OLD.state;
END;
CREATE TRIGGER jobs_changed AFTER UPDATE OF state ON jobs BEGIN
  UPDATE totals SET jobs = jobs - 1 WHERE state = OLD.state;
  UPDATE totals SET jobs = jobs + 1 WHERE state = NEW.state;
END;

CREATE TABLE dependencies (
  job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  waits_for TEXT NOT NULL REFERENCES jobs (id),
  PRIMARY KEY (job, waits_for)
) WITHOUT ROWID;
CREATE INDEX dependencies_of ON dependencies (waits_for);
CREATE TABLE events (
  job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  ts REAL NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (job, seq)
) WITHOUT ROWID;
CREATE TABLE outputs (
  job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  kind TEXT NOT NULL,
  PRIMARY KEY (job, path)
) WITHOUT ROWID;
CREATE TABLE checkpoints (
  job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  step INTEGER NOT NULL,
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (job, step)
) WITHOUT ROWID;
CREATE TABLE timings (
  job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  phase TEXT NOT NULL,
  seconds REAL NOT NULL,
  units INTEGER NOT NULL,
  PRIMARY KEY (job, phase)
) WITHOUT ROWID;
)sql";

constexpr std::array kSteps{kVersion1};

}  // namespace

const Schema& queue_schema() {
  static const Schema schema{.what = "queue", .application_id = 0x52754261 /* RuBa */, .steps = kSteps};
  return schema;
}

}  // namespace rubato
