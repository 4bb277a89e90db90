#include "pipelines/job/queue/timings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <tuple>
#include <vector>

#include "pipelines/job/queue/migrations.h"
#include "pipelines/job/queue/sqlite.h"

namespace rubato {
namespace {

using sqlite::Database;
using sqlite::Transaction;

constexpr int kSamples = 9;  // of each phase; an odd number has a middle
constexpr int kPatienceMs = 1'000;

constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE samples (
  id INTEGER PRIMARY KEY,
  model TEXT NOT NULL, device TEXT NOT NULL, dtype TEXT NOT NULL, plan TEXT NOT NULL,
  width INTEGER NOT NULL, height INTEGER NOT NULL, frames INTEGER NOT NULL, branches INTEGER NOT NULL,
  phase TEXT NOT NULL, seconds_per_unit REAL NOT NULL
);
CREATE INDEX samples_key ON samples (model, device, dtype, plan, width, height, frames, branches, phase);
CREATE TABLE places (
  wish_device TEXT NOT NULL, wish_dtype TEXT NOT NULL, device TEXT NOT NULL, dtype TEXT NOT NULL,
  PRIMARY KEY (wish_device, wish_dtype)
) WITHOUT ROWID;
)sql";
constexpr std::array kSteps{kVersion1};
const Schema kSchema{.what = "file of timings", .application_id = 0x52754254 /* RuBT */, .steps = kSteps};

constexpr std::string_view kKeyIs =
    "model = ?1 AND device = ?2 AND dtype = ?3 AND plan = ?4 AND width = ?5 AND height = ?6 AND frames = ?7 AND "
    "branches = ?8";

double median(std::vector<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Shape {
  int width = 0, height = 0, frames = 0, branches = 0;
  bool operator==(const Shape&) const = default;
  double pixels() const { return static_cast<double>(width) * height; }
  double tokens() const { return pixels() * frames; }
};
Shape shape_of(const TimingKey& key) { return {key.width, key.height, key.frames, key.branches}; }

// How much longer a unit of this phase takes at shape `to` than at shape `from`. A step is work on every token (the
// linear layers) and on every pair of them (attention); with what shares depends on the model, so the exponent between
// 1 and 2 is a guess, which is why the result is called an estimate. A decoded latent frame costs its pixels.
double scale(const std::string& phase, const Shape& from, const Shape& to) {
  constexpr double kStepExponent = 1.25;
  if (phase == "denoise") {
    const double branches = static_cast<double>(to.branches) / from.branches;
    return branches * std::pow(to.tokens() / from.tokens(), kStepExponent);
  }
  if (phase == "decode") return to.pixels() / from.pixels();
  if (phase == "mux") return to.tokens() / from.tokens();
  return 1;  // loading and the text do not depend on the shape
}

double distance(const Shape& a, const Shape& b) {
  return std::abs(std::log(a.tokens() / b.tokens())) + 0.1 * std::abs(std::log(a.pixels() / b.pixels())) +
         (a.branches == b.branches ? 0 : 0.01);
}

bool sensible(const TimingKey& key) { return key.width > 0 && key.height > 0 && key.frames > 0 && key.branches > 0; }

}  // namespace

struct Timings::State {
  Database database;

  Result<std::map<std::string, double>> medians(const TimingKey& key, const Shape& shape) const {
    std::map<std::string, std::vector<double>> samples;
    RUBATO_TRY(select, database.prepare(fmt::format("SELECT phase, seconds_per_unit FROM samples WHERE {}", kKeyIs)));
    select.bind(key.model, key.device, key.dtype, key.plan, shape.width, shape.height, shape.frames, shape.branches);
    while (true) {
      RUBATO_TRY(row, select.step());
      if (!row) break;
      samples[select.text(0)].push_back(select.real(1));
    }
    std::map<std::string, double> medians;
    for (auto& [phase, values] : samples) medians[phase] = median(std::move(values));
    return medians;
  }

  Result<std::optional<Shape>> nearest(const TimingKey& key) const {
    RUBATO_TRY(select, database.prepare("SELECT DISTINCT width, height, frames, branches FROM samples "
                                        "WHERE model = ?1 AND device = ?2 AND dtype = ?3 AND plan = ?4 LIMIT 10000"));
    select.bind(key.model, key.device, key.dtype, key.plan);
    const auto wanted = shape_of(key);
    std::optional<Shape> best;
    while (true) {
      RUBATO_TRY(row, select.step());
      if (!row) return best;
      const auto side = [&](int column) {
        return static_cast<int>(std::clamp<std::int64_t>(select.integer(column), 0, 1 << 20));
      };
      const Shape shape{side(0), side(1), side(2), side(3)};
      if (shape.tokens() <= 0 || shape.branches <= 0) continue;
      if (!best || distance(shape, wanted) < distance(*best, wanted)) best = shape;
    }
  }
};

Timings::Timings(std::unique_ptr<State> state) : state_(std::move(state)) {}
Timings::Timings(Timings&&) noexcept = default;
Timings& Timings::operator=(Timings&&) noexcept = default;
Timings::~Timings() = default;

Result<Timings> Timings::open(const std::filesystem::path& file) {
  std::error_code failed;
  std::filesystem::create_directories(file.parent_path(), failed);
  if (failed)
    return Error{ErrorCode::CannotWrite,
                 fmt::format("cannot make the folder {}: {}", file.parent_path().string(), failed.message())};
  const auto connect = [&]() -> Result<Database> {
    RUBATO_TRY(database, Database::open(file, sqlite::Mode::Write, kPatienceMs));
    RUBATO_TRY(version, version_of(database, kSchema));
    if (version > kSchema.version())
      return Error{ErrorCode::CannotWrite, fmt::format("{} was written by a newer version of Rubato", file.string())};
    RUBATO_OK(migrate(database, kSchema));
    return database;
  };
  auto database = connect();
  if (!database && database.error().code == ErrorCode::Corrupt) {
    // Nothing in it is worth keeping: the next jobs teach it again.
    for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(file.string() + part, failed);
    database = connect();
  }
  if (!database) return database.error();
  return Timings(std::make_unique<State>(State{std::move(*database)}));
}

Result<> Timings::record(const TimingKey& key, const std::map<std::string, PhaseTime>& phases) {
  if (!sensible(key)) return {};
  const auto& db = state_->database;
  RUBATO_TRY(change, Transaction::begin(db));
  RUBATO_TRY(insert,
             db.prepare("INSERT INTO samples (model, device, dtype, plan, width, height, frames, branches, phase, "
                        "seconds_per_unit) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"));
  const auto where = fmt::format("{} AND phase = ?9", kKeyIs);
  RUBATO_TRY(forget,
             db.prepare(fmt::format("DELETE FROM samples WHERE {} AND id NOT IN (SELECT id FROM samples WHERE {} "
                                    "ORDER BY id DESC LIMIT {})",
                                    where, where, kSamples)));
  for (const auto& [phase, time] : phases) {
    const double each = time.seconds / static_cast<double>(time.units);
    if (time.units < 1 || !std::isfinite(each) || each < 0) continue;
    RUBATO_OK(insert
                  .bind(key.model, key.device, key.dtype, key.plan, key.width, key.height, key.frames, key.branches,
                        phase, each)
                  .run());
    RUBATO_OK(
        forget.bind(key.model, key.device, key.dtype, key.plan, key.width, key.height, key.frames, key.branches, phase)
            .run());
  }
  return change.commit();
}

Result<ExpectedTimes> Timings::expected(const TimingKey& key) const {
  if (!sensible(key)) return ExpectedTimes{};
  RUBATO_TRY(exact, state_->medians(key, shape_of(key)));
  if (!exact.empty()) return ExpectedTimes{std::move(exact), false};
  RUBATO_TRY(near, state_->nearest(key));
  if (!near) return ExpectedTimes{};
  RUBATO_TRY(scaled, state_->medians(key, *near));
  for (auto& [phase, seconds] : scaled) seconds *= scale(phase, *near, shape_of(key));
  return ExpectedTimes{std::move(scaled), true};
}

Result<> Timings::remember_place(std::string_view device, std::string_view dtype, const TimingPlace& place) {
  return state_->database.run("INSERT OR REPLACE INTO places VALUES (?1, ?2, ?3, ?4)", device, dtype, place.device,
                              place.dtype);
}

Result<std::optional<TimingPlace>> Timings::place(std::string_view device, std::string_view dtype) const {
  RUBATO_TRY(select,
             state_->database.prepare("SELECT device, dtype FROM places WHERE wish_device = ?1 AND wish_dtype = ?2"));
  RUBATO_TRY(row, select.bind(device, dtype).step());
  if (!row) return std::optional<TimingPlace>{};
  return std::optional(TimingPlace{select.text(0), select.text(1)});
}

}  // namespace rubato
