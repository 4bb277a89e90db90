#include "pipelines/job/queue/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <chrono>
#include <cstring>
#include <limits>
#include <system_error>
#include <thread>

#include "engine/base/check.h"

namespace rubato::sqlite {
namespace fs = std::filesystem;
namespace {

constexpr int kMaxValueBytes = 64 << 20;  // of one text; a job is at most a few MB

// The sentence for a result code; `connection` may be null.
Error error_of(int code, sqlite3* connection, const fs::path& file) {
  const auto sentence = [&](ErrorCode kind, std::string_view what) {
    return Error{kind, fmt::format("{}: {}", file.string(), what)};
  };
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return sentence(ErrorCode::CannotWrite, "cannot be written: the disk is full; free some space and try again");
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return sentence(ErrorCode::CannotWrite, "cannot be written: the file or its folder is read-only");
    case SQLITE_IOERR: {
      const int system = connection != nullptr ? sqlite3_system_errno(connection) : 0;
      return sentence(ErrorCode::CannotWrite,
                      fmt::format("cannot be written: the disk reports an error{}{}", system != 0 ? ": " : "",
                                  system != 0 ? std::strerror(system) : ""));
    }
    case SQLITE_CANTOPEN:
      return sentence(ErrorCode::CannotWrite, "cannot be opened: its folder is missing or read-only");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return sentence(ErrorCode::Locked, "another program is writing to it; try again when it has ended");
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return sentence(ErrorCode::Corrupt, "is damaged, or not a database at all");
    case SQLITE_NOMEM:
      return sentence(ErrorCode::OutOfMemory, "there is not enough memory to read it");
    case SQLITE_TOOBIG:
      return sentence(ErrorCode::Usage, fmt::format("a text of more than {} MB does not fit in", kMaxValueBytes >> 20));
    default:
      return sentence(ErrorCode::Internal, connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code));
  }
}

// "file:…?immutable=1" with what a URI would take for its own.
std::string immutable_uri(const fs::path& file) {
  std::string uri = "file:";
  for (const char c : fs::absolute(file).string()) {
    if (c == '%' || c == '?' || c == '#')
      uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    else
      uri += c;
  }
  return uri + "?immutable=1";
}

}  // namespace

// ---- Statement ----------------------------------------------------------------------------------------------------
void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

void Statement::bind_at(int index, std::int64_t value) {
  RUBATO_CHECK(sqlite3_bind_int64(statement_.get(), index, value) == SQLITE_OK);
}
void Statement::bind_at(int index, double value) {
  RUBATO_CHECK(sqlite3_bind_double(statement_.get(), index, value) == SQLITE_OK);
}
void Statement::bind_at(int index, std::nullptr_t) {
  RUBATO_CHECK(sqlite3_bind_null(statement_.get(), index) == SQLITE_OK);
}
void Statement::bind_at(int index, std::string_view value) {
  // A text over the limit is not bound, so the statement sees NULL and breaks its NOT NULL: refused, not cut.
  const auto code = sqlite3_bind_text64(statement_.get(), index, value.data() != nullptr ? value.data() : "",
                                        value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  RUBATO_CHECK(code == SQLITE_OK || code == SQLITE_TOOBIG || code == SQLITE_NOMEM);
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  auto error = error_of(code, sqlite3_db_handle(statement_.get()), *file_);
  sqlite3_reset(statement_.get());
  return error;
}

Result<> Statement::run() {
  while (true) {
    RUBATO_TRY(row, step());
    if (!row) break;
  }
  sqlite3_reset(statement_.get());
  return {};
}

void Statement::copy_column(int index, const Statement& from, int column) {
  RUBATO_CHECK(sqlite3_bind_value(statement_.get(), index, sqlite3_column_value(from.statement_.get(), column)) ==
               SQLITE_OK);
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }
bool Statement::null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
std::string Statement::text(int column) const {
  const auto* bytes = sqlite3_column_text(statement_.get(), column);
  if (bytes == nullptr) return {};
  return {reinterpret_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

// ---- Database -----------------------------------------------------------------------------------------------------
void Database::Close::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }

Result<Database> Database::open(const fs::path& file, Mode mode, int busy_timeout_ms) {
  std::error_code failed;
  const auto there = fs::status(file, failed);
  if (fs::exists(there) && !fs::is_regular_file(there))
    return Error{ErrorCode::CannotRead, fmt::format("{} is a folder or a device, not a file", file.string())};
  if (mode == Mode::Read && !fs::exists(there))
    return Error{ErrorCode::CannotRead, fmt::format("{} does not exist", file.string())};

  const auto connect = [&](const std::string& name, int flags) -> Result<Database> {
    Database database;
    database.file_ = std::make_unique<fs::path>(file);
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(name.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    database.connection_.reset(raw);
    if (code != SQLITE_OK) return error_of(code, raw, file);
    sqlite3_extended_result_codes(raw, 1);
    sqlite3_busy_timeout(raw, busy_timeout_ms);
    sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, kMaxValueBytes);
    // The file may be damaged or a stranger's: nothing in its schema is run, and it cannot be damaged by SQL.
    sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    RUBATO_OK(database.run(std::string("PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;")));
    return database;
  };

  if (mode == Mode::Read) {
    RUBATO_TRY(database, connect(file.string(), SQLITE_OPEN_READONLY));
    auto version = database.integer("PRAGMA schema_version");
    if (version) return database;
    if (version.error().code != ErrorCode::CannotWrite) return version.error();
    // A read-only folder, where SQLite cannot put its -shm: read the file alone, as it was last checkpointed.
    RUBATO_TRY(immutable, connect(immutable_uri(file), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI));
    RUBATO_OK(immutable.integer("PRAGMA schema_version"));
    return immutable;
  }
  RUBATO_TRY(database, connect(file.string(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  // SQLite falls back to reading where it may not write.
  if (sqlite3_db_readonly(database.connection_.get(), "main") == 1)
    return error_of(SQLITE_READONLY, database.connection_.get(), file);
  // Two that make the same file change its journal at once: SQLite does not wait there, as it does everywhere else.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(busy_timeout_ms);
  auto journal = database.run(std::string("PRAGMA journal_mode=WAL"));
  while (!journal && journal.error().code == ErrorCode::Locked && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    journal = database.run(std::string("PRAGMA journal_mode=WAL"));
  }
  RUBATO_OK(journal);
  RUBATO_OK(
      database.run(std::string("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA wal_autocheckpoint=1000;")));
  return database;
}

Result<Statement> Database::prepare(std::string_view sql) const {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v2(connection_.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
  if (code != SQLITE_OK) return error_of(code, connection_.get(), *file_);
  return Statement(raw, file_.get());
}

Result<> Database::run(const std::string& sql) const {
  const int code = sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error_of(code, connection_.get(), *file_);
  return {};
}

std::int64_t Database::changes() const { return sqlite3_changes64(connection_.get()); }

// ---- Transaction --------------------------------------------------------------------------------------------------
Result<Transaction> Transaction::begin(const Database& database) {
  const bool outermost = sqlite3_get_autocommit(database.connection_.get()) != 0;
  RUBATO_OK(database.run(std::string(outermost ? "BEGIN IMMEDIATE" : "SAVEPOINT inner_change")));
  return Transaction(&database, outermost);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)), outermost_(other.outermost_) {}

Transaction::~Transaction() {
  if (database_ == nullptr) return;
  // A full disk has rolled back already; then there is nothing left to do.
  (void)database_->run(std::string(outermost_ ? "ROLLBACK" : "ROLLBACK TO inner_change; RELEASE inner_change"));
}

Result<> Transaction::commit() {
  RUBATO_CHECK(database_ != nullptr);
  RUBATO_OK(database_->run(std::string(outermost_ ? "COMMIT" : "RELEASE inner_change")));
  database_ = nullptr;
  return {};
}

}  // namespace rubato::sqlite
