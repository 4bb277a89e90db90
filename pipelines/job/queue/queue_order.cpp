// The order of a queue: adding jobs with what they wait for, moving them, and which one comes next.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/base/ids.h"
#include "engine/base/text.h"
#include "pipelines/job/queue/queue_store_state.h"

namespace rubato {

using sqlite::Transaction;

namespace {

constexpr std::size_t kMaxId = 200, kMaxJobs = 100'000;
constexpr double kSmallestGap = 1e-6;  // positions nearer than this are spread again; doubles near 1e5 resolve 1.5e-11

Result<> check(const NewJob& job) {
  const auto refuse = [&](std::string_view what) {
    return Error{ErrorCode::JobInvalid, fmt::format("the job '{}' {}", clip_utf8(job.id, 100), what)};
  };
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (job.id.size() > kMaxId || !is_valid_utf8(job.id) || std::any_of(job.id.begin(), job.id.end(), is_control))
    return refuse("has an id of over 200 bytes, or with control characters");
  if (!std::isfinite(job.priority)) return refuse("has a priority that is no number");
  if (!nlohmann::json::accept(job.spec)) return refuse("is not JSON");
  return {};
}

// JobInvalid with the circle, if jobs of one call wait for each other.
Result<> check_circles(std::span<const NewJob> jobs, const std::vector<std::string>& ids) {
  std::map<std::string_view, std::size_t> index;
  for (std::size_t i = 0; i < ids.size(); ++i) index[ids[i]] = i;
  enum class Mark : char { New, Open, Closed };
  std::vector<Mark> marks(jobs.size(), Mark::New);
  struct Visit {
    std::size_t job, next;
  };
  for (std::size_t start = 0; start < jobs.size(); ++start) {
    if (marks[start] != Mark::New) continue;
    std::vector<Visit> path{{start, 0}};
    marks[start] = Mark::Open;
    while (!path.empty()) {
      auto& [job, next] = path.back();
      if (next == jobs[job].after.size()) {
        marks[job] = Mark::Closed;
        path.pop_back();
        continue;
      }
      const auto it = index.find(jobs[job].after[next++]);
      if (it == index.end() || marks[it->second] == Mark::Closed) continue;
      if (marks[it->second] == Mark::Open) {
        std::vector<std::string> circle;
        for (auto at = std::find_if(path.begin(), path.end(), [&](const Visit& v) { return v.job == it->second; });
             at != path.end(); ++at)
          circle.push_back(ids[at->job]);
        circle.push_back(ids[it->second]);
        return Error{ErrorCode::JobInvalid,
                     fmt::format("jobs wait for each other in a circle: {}", join(circle, " after "))};
      }
      marks[it->second] = Mark::Open;
      path.push_back({it->second, 0});
    }
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> QueueStore::add(std::span<const NewJob> jobs) {
  RUBATO_OK(state_->writable());
  const auto& db = state_->db();
  if (jobs.size() > kMaxJobs)
    return Error{ErrorCode::JobInvalid,
                 fmt::format("{} jobs at once are too many; at most {} can be added", jobs.size(), kMaxJobs)};
  std::vector<std::string> ids;
  std::set<std::string_view> distinct;
  ids.reserve(jobs.size());
  for (const auto& job : jobs) {
    RUBATO_OK(check(job));
    ids.push_back(job.id.empty() ? new_ulid() : job.id);
  }
  for (const auto& id : ids)
    if (!distinct.insert(id).second) return Error{ErrorCode::JobInvalid, fmt::format("two jobs have the id '{}'", id)};
  RUBATO_OK(check_circles(jobs, ids));

  RUBATO_TRY(change, Transaction::begin(db));
  RUBATO_TRY(exists, db.prepare("SELECT 1 FROM jobs WHERE id = ?1"));
  RUBATO_TRY(
      insert,
      db.prepare("INSERT INTO jobs (id, name, key, spec, state, priority, position, created, device, parent, batch) "
                 "VALUES (?1, ?2, ?3, ?4, 'queued', ?5, ?6, ?7, ?8, ?9, ?10)"));
  RUBATO_TRY(depend, db.prepare("INSERT OR IGNORE INTO dependencies VALUES (?1, ?2)"));
  std::map<double, double> last;  // position by priority
  const double now = unix_now();
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const auto& job = jobs[i];
    RUBATO_TRY(there, exists.bind(ids[i]).step());
    if (there) return Error{ErrorCode::JobInvalid, fmt::format("the queue holds a job '{}' already", ids[i])};
    if (!last.contains(job.priority)) {
      RUBATO_TRY(end,
                 db.real("SELECT position FROM jobs WHERE priority = ?1 ORDER BY position DESC LIMIT 1", job.priority));
      last[job.priority] = std::floor(end.value_or(0));
    }
    RUBATO_OK(insert
                  .bind(ids[i], job.name, job.key, job.spec, job.priority, last[job.priority] += 1, now, job.device,
                        job.parent, job.batch)
                  .run());
  }
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    for (const auto& before : jobs[i].after) {
      RUBATO_TRY(there, exists.bind(before).step());
      if (!there)
        return Error{ErrorCode::JobInvalid,
                     fmt::format("the job '{}' waits for '{}', which is not in the queue{}",
                                 jobs[i].name.empty() ? ids[i] : jobs[i].name, before, did_you_mean(before, ids))};
      RUBATO_OK(depend.bind(ids[i], before).run());
    }
    RUBATO_OK(state_->append_event(ids[i], R"({"state":"queued"})"));
  }
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (jobs[i].after.empty()) continue;
    RUBATO_TRY(waits, state_->waits_for(ids[i]));
    if (!waits.empty()) RUBATO_OK(state_->change(ids[i], JobState::Blocked, {}));
  }
  RUBATO_OK(change.commit());
  return ids;
}

namespace {

struct Spot {
  double priority = 0;
  double low = 0, high = 0;  // positions of the neighbours
};

// Makes room where two neighbours stand too close: the nearest 16, 32, … jobs to either side are spread evenly over the
// room that they take, until that room is enough.
Result<> spread(const sqlite::Database& db, const Spot& spot, std::string_view except) {
  for (int reach = 16;; reach *= 2) {
    std::vector<std::string> ids;
    double low = 0, high = 0;
    const auto read = [&](const char* sql, double from, double& bound, double beyond) -> Result<bool> {
      RUBATO_TRY(select, db.prepare(sql));
      select.bind(spot.priority, from, except, reach + 1);
      bool open_end = true;
      for (int i = 0;; ++i) {
        RUBATO_TRY(row, select.step());
        if (!row) break;
        bound = select.real(1);
        if (i == reach)
          open_end = false;  // this one stays where it is
        else
          ids.push_back(select.text(0));
      }
      if (open_end) bound += beyond;
      return open_end;
    };
    low = high = spot.low;
    RUBATO_TRY(at_start, read("SELECT id, position FROM jobs WHERE priority = ?1 AND position <= ?2 AND id <> ?3 "
                              "ORDER BY position DESC, id DESC LIMIT ?4",
                              spot.low, low, -(reach + 1.0)));
    std::reverse(ids.begin(), ids.end());
    high = spot.high;
    RUBATO_TRY(at_end, read("SELECT id, position FROM jobs WHERE priority = ?1 AND position > ?2 AND id <> ?3 "
                            "ORDER BY position, id LIMIT ?4",
                            spot.low, high, reach + 1.0));
    const double step = (high - low) / static_cast<double>(ids.size() + 1);
    if (step < 1000 * kSmallestGap && !(at_start && at_end)) continue;
    RUBATO_TRY(update, db.prepare("UPDATE jobs SET position = ?2 WHERE id = ?1"));
    for (std::size_t i = 0; i < ids.size(); ++i)
      RUBATO_OK(update.bind(ids[i], low + step * static_cast<double>(i + 1)).run());
    return {};
  }
}

Result<Spot> spot_for(const sqlite::Database& db, std::string_view id, const QueuePlace& place) {
  using Kind = QueuePlace::Kind;
  if (place.kind == Kind::First || place.kind == Kind::Last) {
    const bool first = place.kind == Kind::First;
    RUBATO_TRY(
        end,
        db.prepare(
            first ? "SELECT priority, position FROM jobs WHERE id <> ?1 ORDER BY priority DESC, position LIMIT 1"
                  : "SELECT priority, position FROM jobs WHERE id <> ?1 ORDER BY priority, position DESC LIMIT 1"));
    RUBATO_TRY(row, end.bind(id).step());
    if (!row) return Spot{0, 0, 2};  // it is alone
    const double priority = end.real(0), at = end.real(1);
    return first ? Spot{priority, at - 2, at} : Spot{priority, at, at + 2};
  }
  RUBATO_TRY(other, db.prepare("SELECT priority, position FROM jobs WHERE id = ?1"));
  RUBATO_TRY(row, other.bind(place.other).step());
  if (!row) return Error{ErrorCode::Usage, fmt::format("the queue holds no job '{}'", clip_utf8(place.other, 100))};
  const double priority = other.real(0), at = other.real(1);
  const bool before = place.kind == Kind::Before;
  RUBATO_TRY(neighbour, db.real(before ? "SELECT position FROM jobs WHERE priority = ?1 AND position < ?2 AND id <> ?3 "
                                         "ORDER BY position DESC LIMIT 1"
                                       : "SELECT position FROM jobs WHERE priority = ?1 AND position > ?2 AND id <> ?3 "
                                         "ORDER BY position LIMIT 1",
                                priority, at, id));
  return before ? Spot{priority, neighbour.value_or(at - 2), at} : Spot{priority, at, neighbour.value_or(at + 2)};
}

}  // namespace

Result<> QueueStore::move(std::string_view id, const QueuePlace& place) {
  RUBATO_OK(state_->writable());
  RUBATO_TRY(change, Transaction::begin(state_->db()));
  RUBATO_OK(state_->must_exist(id));
  if (place.other == id) return {};  // beside itself: where it is
  RUBATO_TRY(spot, spot_for(state_->db(), id, place));
  if (spot.high - spot.low < kSmallestGap) {
    RUBATO_OK(spread(state_->db(), spot, id));
    RUBATO_TRY(wider, spot_for(state_->db(), id, place));
    spot = wider;
  }
  RUBATO_OK(state_->db().run("UPDATE jobs SET priority = ?2, position = ?3 WHERE id = ?1", id, spot.priority,
                             (spot.low + spot.high) / 2));
  return change.commit();
}

Result<> QueueStore::set_priority(std::string_view id, double priority) {
  RUBATO_OK(state_->writable());
  if (!std::isfinite(priority)) return Error{ErrorCode::Usage, "a priority is a number, such as 0 or 10"};
  RUBATO_TRY(change, Transaction::begin(state_->db()));
  RUBATO_OK(state_->must_exist(id));
  RUBATO_TRY(
      end, state_->db().real("SELECT position FROM jobs WHERE priority = ?1 ORDER BY position DESC LIMIT 1", priority));
  RUBATO_OK(state_->db().run("UPDATE jobs SET priority = ?2, position = ?3 WHERE id = ?1", id, priority,
                             std::floor(end.value_or(0)) + 1));
  return change.commit();
}

Result<std::optional<QueueJob>> QueueStore::next_runnable(std::string_view device) const {
  std::optional<QueueJob> best;
  RUBATO_TRY(waits, paused());
  if (waits) return best;
  const auto& db = state_->db();
  if (device == "auto") {
    RUBATO_TRY(first, db.text("SELECT id FROM jobs WHERE state = 'queued' ORDER BY priority DESC, position LIMIT 1"));
    return first ? find(*first) : Result<std::optional<QueueJob>>(best);
  }
  // The wishes that this device satisfies; each is read along its index.
  const std::set<std::string> wishes{"", "auto", std::string(device.substr(0, device.find(':'))), std::string(device)};
  RUBATO_TRY(select, db.prepare("SELECT id, priority, position FROM jobs WHERE state = 'queued' AND device = ?1 "
                                "ORDER BY priority DESC, position LIMIT 1"));
  std::string id;
  double priority = 0, position = 0;
  for (const auto& wish : wishes) {
    RUBATO_TRY(row, select.bind(wish).step());
    if (!row) continue;
    if (id.empty() || select.real(1) > priority || (select.real(1) == priority && select.real(2) < position)) {
      id = select.text(0);
      priority = select.real(1);
      position = select.real(2);
    }
  }
  if (id.empty()) return best;
  return find(id);
}

}  // namespace rubato
