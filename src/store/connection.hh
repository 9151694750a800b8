// SQLite as the store uses it: one connection, cached statements, transactions, and every failure as a pushrod::Error.
// Used inside store/ only.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "model/names.hh"
#include "os/clock.hh"

namespace pushrod {

// Bytes that need not be text.
struct Blob {
  const std::string& bytes;
};

// A prepared statement in the cache, and whether a Query uses it now.
struct CachedStatement {
  SQLite::Statement statement;
  bool in_use = false;
};

class Connection;

// One run of a prepared statement. Values are bound from the left, columns read from the left; the destructor makes the
// statement ready for its next run and so gives up its read lock.
class Query {
 public:
  Query(Connection& connection, CachedStatement& cached);
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  ~Query();

  template <class... Values>
  Query& with(const Values&... values) {
    (bind(values), ...);
    return *this;
  }

  bool next();  // to the next row; false at the end
  void run();   // to its end, for statements that change something
  // Runs to its end; the first row's first column, absent when there is no row.
  std::optional<std::int64_t> only_integer();

  // The columns of the row, one after the other.
  std::int64_t integer();
  template <class Number>
  Number number() {
    return static_cast<Number>(integer());
  }
  bool boolean() { return integer() != 0; }
  std::string text();
  WallTime time() { return from_epoch_milliseconds(integer()); }
  template <class Name>
  Name name() {
    return parsed(text(), &Name::parse);
  }
  // Absent when the column is NULL.
  template <class Read>
  auto optional(Read read) -> std::optional<decltype(read(*this))> {
    if (skip_null()) return std::nullopt;
    return read(*this);
  }

 private:
  void bind(std::int64_t value);
  void bind(std::uint32_t value) { bind(std::int64_t{value}); }
  void bind(std::uint16_t value) { bind(std::int64_t{value}); }
  void bind(const std::string& value);
  void bind(const Blob& value);
  void bind(std::string_view value) { bind(std::string(value)); }
  void bind(WallTime value) { bind(to_epoch_milliseconds(value)); }
  void bind_null();
  template <class Tag>
  void bind(const detail::Name<Tag>& name) {
    bind(name.str());
  }
  template <class Value>
  void bind(const std::optional<Value>& value) {
    if (value) {
      bind(*value);
    } else {
      bind_null();
    }
  }
  // True, and past it, when the next column is NULL.
  bool skip_null();
  // A stored name that its rule refuses was not written by us: Error, not UserError.
  template <class Name>
  Name parsed(const std::string& stored, Name (*parse)(std::string_view)) {
    try {
      return parse(stored);
    } catch (const std::exception& broken) {
      throw_broken(broken.what());
    }
  }
  [[noreturn]] void throw_broken(const std::string& reason) const;

  Connection& connection_;
  CachedStatement& cached_;
  int parameter_ = 0;
  int column_ = 0;
};

class Connection {
 public:
  // Creates the file (mode 0600) if there is none.
  Connection(const std::filesystem::path& path, Milliseconds patience);

  Query query(std::string_view sql);
  // A whole script, without parameters or results.
  void execute(const std::string& sql);
  std::int64_t integer_of(std::string_view sql);

  const std::filesystem::path& path() const noexcept { return path_; }
  std::uint32_t commits() const noexcept { return commits_; }
  // Calls it, and throws an Error in place of SQLite's exception.
  template <class Action>
  auto guarded(Action action) -> decltype(action()) {
    try {
      return action();
    } catch (const SQLite::Exception& exception) {
      throw_error(exception);
    }
  }

 private:
  friend class Transaction;
  [[noreturn]] void throw_error(const SQLite::Exception& exception) const;
  void refuse_if_broken() const;

  std::filesystem::path path_;
  Milliseconds patience_;
  std::uint32_t commits_ = 0;
  bool in_transaction_ = false;
  bool writing_ = false;
  bool broken_ = false;  // a part of the transaction was ended by an exception
  std::optional<SQLite::Database> database_;
  std::map<std::string, CachedStatement, std::less<>> statements_;
};

// Begins as a writer at once (BEGIN IMMEDIATE), so that it never has to give way in the middle; rolls back unless
// commit() was called. Within another writer it is a part of that one: then it commits nothing by itself, and when an
// exception ends it, the other cannot commit any more. Or as a reader that sees one state of the database in several
// queries until it is destroyed; within another transaction that is nothing.
class Transaction {
 public:
  enum class Kind { Read, Write };
  explicit Transaction(Connection& connection, Kind kind = Kind::Write);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  void commit();

 private:
  Connection& connection_;
  int exceptions_;
  bool open_ = false;
};

}  // namespace pushrod
