#include "pipelines/job/library/library_store.h"

#include <fmt/format.h>

#include <array>
#include <chrono>

#include "engine/base/ids.h"
#include "pipelines/job/queue/migrations.h"
#include "pipelines/job/queue/sqlite.h"

namespace rubato {
namespace {

// A step that was released is never changed; a new version is a new step at the end.
constexpr std::array<std::string_view, 1> kSteps{R"(
  CREATE TABLE items(
    id TEXT PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    prompt TEXT NOT NULL,
    model TEXT NOT NULL,
    seed TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    frames INTEGER NOT NULL,
    fps INTEGER NOT NULL,
    seconds REAL NOT NULL,
    bytes INTEGER NOT NULL,
    added REAL NOT NULL,
    starred INTEGER NOT NULL,
    job TEXT NOT NULL,
    frames_sha256 TEXT NOT NULL
  );
  CREATE INDEX items_by_time ON items(added);
)"};
constexpr Schema kSchema{.what = "library", .application_id = 0x52624c62, .steps = kSteps};  // "RbLb"

constexpr std::string_view kColumns =
    "id, path, title, prompt, model, seed, width, height, frames, fps, seconds, bytes, added, starred, job, "
    "frames_sha256";

LibraryItem item_of(const sqlite::Statement& row) {
  return {.id = row.text(0),
          .path = row.text(1),
          .title = row.text(2),
          .prompt = row.text(3),
          .model = row.text(4),
          .seed = row.text(5),
          .size = {static_cast<int>(row.integer(6)), static_cast<int>(row.integer(7))},
          .frames = static_cast<int>(row.integer(8)),
          .fps = static_cast<int>(row.integer(9)),
          .seconds = row.real(10),
          .bytes = static_cast<std::uint64_t>(row.integer(11)),
          .added = row.real(12),
          .starred = row.integer(13) != 0,
          .job = row.text(14),
          .frames_sha256 = row.text(15)};
}

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

}  // namespace

struct LibraryStore::State {
  sqlite::Database database;
};

LibraryStore::LibraryStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
LibraryStore::LibraryStore(LibraryStore&&) noexcept = default;
LibraryStore& LibraryStore::operator=(LibraryStore&&) noexcept = default;
LibraryStore::~LibraryStore() = default;

Result<LibraryStore> LibraryStore::open(const std::filesystem::path& file) {
  RUBATO_TRY(database, sqlite::Database::open(file, sqlite::Mode::Write));
  RUBATO_TRY(version, version_of(database, kSchema));
  if (version > kSchema.version())
    return Error{ErrorCode::CannotWrite,
                 fmt::format("{} was written by a newer version of Rubato; use that one", file.string())};
  RUBATO_TRY(copy, migrate(database, kSchema));
  (void)copy;
  return LibraryStore(std::make_unique<State>(State{std::move(database)}));
}

Result<LibraryItem> LibraryStore::add(LibraryItem item) {
  const auto& database = state_->database;
  if (item.id.empty()) item.id = new_ulid();
  if (item.added == 0) item.added = now();
  RUBATO_TRY(change, sqlite::Transaction::begin(database));
  RUBATO_TRY(before, database.prepare(fmt::format("SELECT {} FROM items WHERE path = ?1", kColumns)));
  RUBATO_TRY(known, before.bind(item.path).step());
  if (known) {
    const auto old = item_of(before);
    item.id = old.id;
    item.starred = item.starred || old.starred;
  }
  RUBATO_OK(database.run(
      fmt::format("INSERT OR REPLACE INTO items({}) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)",
                  kColumns),
      item.id, item.path, item.title, item.prompt, item.model, item.seed, item.size.width, item.size.height,
      item.frames, item.fps, item.seconds, static_cast<std::int64_t>(item.bytes), item.added, item.starred ? 1 : 0,
      item.job, item.frames_sha256));
  RUBATO_OK(change.commit());
  return item;
}

Result<std::vector<LibraryItem>> LibraryStore::list() const {
  RUBATO_TRY(rows,
             state_->database.prepare(fmt::format("SELECT {} FROM items ORDER BY added DESC, id DESC", kColumns)));
  std::vector<LibraryItem> items;
  for (;;) {
    RUBATO_TRY(more, rows.step());
    if (!more) return items;
    items.push_back(item_of(rows));
  }
}

Result<std::optional<LibraryItem>> LibraryStore::find(std::string_view id) const {
  RUBATO_TRY(row, state_->database.prepare(fmt::format("SELECT {} FROM items WHERE id = ?1", kColumns)));
  RUBATO_TRY(known, row.bind(id).step());
  return known ? std::optional(item_of(row)) : std::nullopt;
}

Result<> LibraryStore::set_starred(std::string_view id, bool starred) {
  return state_->database.run("UPDATE items SET starred = ?2 WHERE id = ?1", id, starred ? 1 : 0);
}

Result<LibraryItem> LibraryStore::remove(std::string_view id) {
  RUBATO_TRY(item, find(id));
  if (!item) return Error{ErrorCode::Usage, fmt::format("the library has no clip {}", id)};
  RUBATO_OK(state_->database.run("DELETE FROM items WHERE id = ?1", id));
  return std::move(*item);
}

std::filesystem::path library_file(const std::filesystem::path& state_folder) {
  return state_folder / "library.sqlite";
}

}  // namespace rubato
