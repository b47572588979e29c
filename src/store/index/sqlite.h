// SQLite behind Result: a connection, and statements that are prepared once for each connection.
//
// Not thread-safe: whoever holds a Connection uses it alone (connection_pool.h lends them). Only
// sqlite.cc sees sqlite3.h. SQLite's codes become Berth's here: a full disk is Errc::no_space, a
// lock that did not come in time Errc::unavailable, a damaged or foreign file Errc::corrupt, the
// rest Errc::io.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace berth::store::sqlite {

// Text that is stored as NULL when it is empty.
struct NullIfEmpty {
    std::string_view text;
};

// One use of a prepared statement: bound, stepped, and given back to its connection at the end. A
// statement is not used again before its last use ended.
class Statement {
  public:
    Statement(Statement&& other) noexcept;
    Statement& operator=(Statement&&) = delete;
    ~Statement();

    // Parameters count from 1. Values are copied. A failure shows at the next step.
    void bind(int parameter, std::int64_t value);
    void bind(int parameter, std::optional<std::int64_t> value);
    void bind(int parameter, std::string_view value);
    void bind(int parameter, NullIfEmpty value);

    // True: a row is there to read. False: done.
    Result<bool> step();

    // Columns count from 0. NULL reads as 0 and as empty text.
    std::int64_t integer(int column) const;
    std::string text(int column) const;

  private:
    friend class Connection;
    explicit Statement(sqlite3_stmt* handle) : handle_(handle) {}

    sqlite3_stmt* handle_;
    int bind_code_ = 0;
};

class Connection {
  public:
    enum class Access { read_only, read_write };  // read_write makes the file if it is missing

    static Result<std::unique_ptr<Connection>> open(const std::string& path, Access access);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // A prepared statement for one SQL statement, with its parameters bound in order.
    template <class... Values>
    Result<Statement> query(std::string_view sql, const Values&... values) {
        BERTH_TRY(Statement statement, prepare(sql));
        int parameter = 0;
        (statement.bind(++parameter, values), ...);
        return statement;
    }

    // Runs one statement to its end; the number of rows that it changed.
    template <class... Values>
    Result<std::int64_t> execute(std::string_view sql, const Values&... values) {
        BERTH_TRY(Statement statement, query(sql, values...));
        return run(statement);
    }

    // The first column of the first row; nullopt when there is no row.
    template <class... Values>
    Result<std::optional<std::int64_t>> find_integer(std::string_view sql,
                                                     const Values&... values) {
        BERTH_TRY(Statement statement, query(sql, values...));
        BERTH_TRY(bool found, statement.step());
        return found ? std::optional(statement.integer(0)) : std::nullopt;
    }

    // Runs a script of many statements, not cached.
    Result<void> execute_script(const std::string& sql);

    std::int64_t last_insert_id() const;
    // SQLite ends a transaction by itself after some errors (a full disk, for one).
    bool in_transaction() const;

  private:
    explicit Connection(sqlite3* handle) : handle_(handle) {}

    Result<Statement> prepare(std::string_view sql);
    Result<std::int64_t> run(Statement& statement);

    sqlite3* handle_;
    // Keys are views of the statements' own copies of their SQL.
    std::unordered_map<std::string_view, sqlite3_stmt*> statements_;
};

}  // namespace berth::store::sqlite
