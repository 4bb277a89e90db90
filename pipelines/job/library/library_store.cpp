#include "pipelines/job/library/library_store.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <map>
#include <unordered_map>

#include "engine/base/ids.h"
#include "engine/base/text.h"
#include "pipelines/job/queue/migrations.h"
#include "pipelines/job/queue/sqlite.h"

namespace rubato {
namespace {

// A step that was released is never changed; a new version is a new step at the end.
constexpr std::array<std::string_view, 2> kSteps{R"(
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
)",
                                                 R"(
  ALTER TABLE items ADD COLUMN record TEXT NOT NULL DEFAULT '';
  CREATE TABLE tags(
    item TEXT NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY(item, tag)
  ) WITHOUT ROWID;
)"};
constexpr Schema kSchema{.what = "library", .application_id = 0x52624c62, .steps = kSteps};  // "RbLb"

constexpr std::string_view kColumns =
    "id, path, title, prompt, model, seed, width, height, frames, fps, seconds, bytes, added, starred, job, "
    "frames_sha256, record";
constexpr std::size_t kMostTags = 32, kLongestTag = 64;

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
          .frames_sha256 = row.text(15),
          .record = row.text(16)};
}

Result<> read_tags(const sqlite::Database& database, LibraryItem& item) {
  RUBATO_TRY(rows, database.prepare("SELECT tag FROM tags WHERE item = ?1"));
  rows.bind(item.id);
  for (;;) {
    RUBATO_TRY(more, rows.step());
    if (!more) break;
    item.tags.push_back(rows.text(0));
  }
  item.tags = normal_tags(item.tags);
  return {};
}

Result<> write_tags(const sqlite::Database& database, std::string_view id, const std::vector<std::string>& tags) {
  RUBATO_OK(database.run("DELETE FROM tags WHERE item = ?1", id));
  for (const auto& tag : tags) RUBATO_OK(database.run("INSERT INTO tags(item, tag) VALUES(?1, ?2)", id, tag));
  return {};
}

std::string folded(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string one_blank_between_words(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool blank = static_cast<unsigned char>(c) <= ' ' || c == '\x7F';
    if (blank && (out.empty() || out.back() == ' ')) continue;
    out += blank ? ' ' : c;
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
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
    auto old = item_of(before);
    item.id = old.id;
    item.starred = item.starred || old.starred;
    RUBATO_OK(read_tags(database, old));
    item.tags.insert(item.tags.end(), old.tags.begin(), old.tags.end());
  }
  item.tags = normal_tags(item.tags);
  RUBATO_OK(database.run(fmt::format("INSERT OR REPLACE INTO items({}) "
                                     "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17)",
                                     kColumns),
                         item.id, item.path, item.title, item.prompt, item.model, item.seed, item.size.width,
                         item.size.height, item.frames, item.fps, item.seconds, static_cast<std::int64_t>(item.bytes),
                         item.added, item.starred ? 1 : 0, item.job, item.frames_sha256, item.record));
  RUBATO_OK(write_tags(database, item.id, item.tags));
  RUBATO_OK(change.commit());
  return item;
}

Result<std::vector<LibraryItem>> LibraryStore::list() const {
  RUBATO_TRY(rows,
             state_->database.prepare(fmt::format("SELECT {} FROM items ORDER BY added DESC, id DESC", kColumns)));
  std::vector<LibraryItem> items;
  std::unordered_map<std::string, std::size_t> place;
  for (;;) {
    RUBATO_TRY(more, rows.step());
    if (!more) break;
    place.emplace(rows.text(0), items.size());
    items.push_back(item_of(rows));
  }
  RUBATO_TRY(tags, state_->database.prepare("SELECT item, tag FROM tags"));
  for (;;) {
    RUBATO_TRY(more, tags.step());
    if (!more) break;
    if (const auto of = place.find(tags.text(0)); of != place.end()) items[of->second].tags.push_back(tags.text(1));
  }
  for (auto& item : items) item.tags = normal_tags(item.tags);
  return items;
}

Result<std::optional<LibraryItem>> LibraryStore::find(std::string_view id) const {
  RUBATO_TRY(row, state_->database.prepare(fmt::format("SELECT {} FROM items WHERE id = ?1", kColumns)));
  RUBATO_TRY(known, row.bind(id).step());
  if (!known) return std::optional<LibraryItem>{};
  auto item = item_of(row);
  RUBATO_OK(read_tags(state_->database, item));
  return std::optional(std::move(item));
}

Result<> LibraryStore::set_starred(std::string_view id, bool starred) {
  return state_->database.run("UPDATE items SET starred = ?2 WHERE id = ?1", id, starred ? 1 : 0);
}

Result<std::vector<std::string>> LibraryStore::set_tags(std::string_view id, const std::vector<std::string>& tags) {
  const auto& database = state_->database;
  auto kept = normal_tags(tags);
  RUBATO_TRY(change, sqlite::Transaction::begin(database));
  RUBATO_TRY(known, database.integer("SELECT 1 FROM items WHERE id = ?1", id));
  if (!known) return Error{ErrorCode::Usage, fmt::format("the library has no clip {}", id)};
  RUBATO_OK(write_tags(database, id, kept));
  RUBATO_OK(change.commit());
  return kept;
}

Result<LibraryItem> LibraryStore::remove(std::string_view id) {
  RUBATO_TRY(item, find(id));
  if (!item) return Error{ErrorCode::Usage, fmt::format("the library has no clip {}", id)};
  RUBATO_TRY(change, sqlite::Transaction::begin(state_->database));
  RUBATO_OK(state_->database.run("DELETE FROM items WHERE id = ?1", id));
  RUBATO_OK(write_tags(state_->database, id, {}));
  RUBATO_OK(change.commit());
  return std::move(*item);
}

std::vector<std::string> normal_tags(const std::vector<std::string>& tags) {
  std::map<std::string, std::string> kept;  // by how it reads without its capitals
  for (const auto& tag : tags) {
    const auto whole = one_blank_between_words(tag);
    const auto text = one_blank_between_words(clip_utf8(whole, kLongestTag));
    if (!text.empty() && kept.size() < kMostTags) kept.emplace(folded(text), text);
  }
  std::vector<std::string> list;
  for (auto& [key, text] : kept) list.push_back(std::move(text));
  return list;
}

std::filesystem::path library_file(const std::filesystem::path& state_folder) {
  return state_folder / "library.sqlite";
}

}  // namespace rubato
