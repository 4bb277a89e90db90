// A thin owning wrapper of SQLite: every failure is a Result whose sentence names the file; nothing throws.
//
// Not thread-safe: one connection belongs to one thread at a time. SQLITE_FULL, _READONLY and _IOERR become
// CannotWrite, _BUSY Locked, _NOTADB and _CORRUPT Corrupt; a constraint that our own statements break is Internal.
// Source: https://www.sqlite.org/c3ref/intro.html (SQLite 3.40).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace rubato::sqlite {

enum class Mode {
  Write,  // made if it is missing
  Read,   // the file is not changed; works in a read-only folder as well
};

// A prepared statement that owns its place in the connection; must not outlive its Database.
class Statement {
 public:
  Statement(Statement&&) noexcept = default;
  Statement& operator=(Statement&&) noexcept = default;

  // Forgets the former row and binds the values to ?1, ?2, … Text is copied.
  template <typename... Values>
  Statement& bind(const Values&... values) {
    reset();
    int index = 0;
    (bind_at(++index, values), ...);
    return *this;
  }

  // True: a row is there to be read. False: the statement has ended.
  Result<bool> step();
  // Steps to the end and resets; for statements without rows.
  Result<> run();

  // Binds ?index to the value in a column of another statement's row, whatever its type.
  void copy_column(int index, const Statement& from, int column);

  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;
  bool null(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(sqlite3_stmt* statement, const std::filesystem::path* file) : statement_(statement), file_(file) {}
  void reset();
  void bind_at(int index, std::int64_t value);
  void bind_at(int index, int value) { bind_at(index, static_cast<std::int64_t>(value)); }
  void bind_at(int index, double value);
  void bind_at(int index, std::string_view value);
  void bind_at(int index, const std::string& value) { bind_at(index, std::string_view(value)); }
  void bind_at(int index, const char* value) { bind_at(index, std::string_view(value)); }
  void bind_at(int index, std::nullptr_t);
  template <typename T>
  void bind_at(int index, const std::optional<T>& value) {
    value ? bind_at(index, *value) : bind_at(index, nullptr);
  }

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  const std::filesystem::path* file_ = nullptr;  // of the Database, for messages
};

class Database {
 public:
  // Write: WAL, synchronous=FULL, foreign keys. CannotRead when a file to be read is missing, CannotWrite when the
  // folder does not allow a new one, Corrupt when it is no database.
  static Result<Database> open(const std::filesystem::path& file, Mode mode, int busy_timeout_ms = 5'000);
  Database(Database&&) noexcept = default;
  Database& operator=(Database&&) noexcept = default;

  Result<Statement> prepare(std::string_view sql) const;
  // One or several statements without values; rows are dropped.
  Result<> run(const std::string& sql) const;
  // A statement with values and without rows.
  template <typename... Values>
  Result<> run(std::string_view sql, const Values&... values) const {
    RUBATO_TRY(statement, prepare(sql));
    return statement.bind(values...).run();
  }
  // The first column of the first row; nothing if there is no row or it is NULL.
  template <typename... Values>
  Result<std::optional<std::int64_t>> integer(std::string_view sql, const Values&... values) const {
    RUBATO_TRY(statement, prepare(sql));
    RUBATO_TRY(row, statement.bind(values...).step());
    if (!row || statement.null(0)) return std::optional<std::int64_t>{};
    return std::optional(statement.integer(0));
  }
  template <typename... Values>
  Result<std::optional<double>> real(std::string_view sql, const Values&... values) const {
    RUBATO_TRY(statement, prepare(sql));
    RUBATO_TRY(row, statement.bind(values...).step());
    if (!row || statement.null(0)) return std::optional<double>{};
    return std::optional(statement.real(0));
  }
  template <typename... Values>
  Result<std::optional<std::string>> text(std::string_view sql, const Values&... values) const {
    RUBATO_TRY(statement, prepare(sql));
    RUBATO_TRY(row, statement.bind(values...).step());
    if (!row || statement.null(0)) return std::optional<std::string>{};
    return std::optional(statement.text(0));
  }

  std::int64_t changes() const;  // rows of the last INSERT, UPDATE or DELETE
  const std::filesystem::path& file() const { return *file_; }

 private:
  friend class Transaction;
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  Database() = default;
  std::unique_ptr<std::filesystem::path> file_;  // on the heap: statements point at it
  std::unique_ptr<sqlite3, Close> connection_;
};

// BEGIN IMMEDIATE … COMMIT, or a savepoint inside another transaction; without commit() all of it is rolled back at the
// end of the scope. The Database must stay where it is meanwhile.
class Transaction {
 public:
  static Result<Transaction> begin(const Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<> commit();

 private:
  Transaction(const Database* database, bool outermost) : database_(database), outermost_(outermost) {}
  const Database* database_ = nullptr;  // null: committed
  bool outermost_ = false;
};

}  // namespace rubato::sqlite
