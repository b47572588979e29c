#include "store/index/sqlite.h"

#include <sqlite3.h>

#include <utility>

namespace berth::store::sqlite {
namespace {

// How long a connection waits for a lock of another one before Errc::unavailable.
constexpr int kBusyTimeoutMs = 5000;

Errc code_of(int sqlite_code) {
    switch (sqlite_code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_NOMEM:
            return Errc::unavailable;
        case SQLITE_FULL:
            return Errc::no_space;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return Errc::corrupt;
        case SQLITE_CONSTRAINT:
            return Errc::conflict;
        case SQLITE_TOOBIG:
            return Errc::too_large;
        default:
            return Errc::io;
    }
}

std::unexpected<Error> fail_sqlite(sqlite3* handle, int code) {
    std::string detail = "index: ";
    detail += handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
    detail += " (SQLite code " + std::to_string(code) + ")";
    return fail(code_of(code), std::move(detail), handle ? sqlite3_system_errno(handle) : 0);
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), bind_code_(other.bind_code_) {}

Statement::~Statement() {
    if (!handle_) return;
    sqlite3_reset(handle_);
    sqlite3_clear_bindings(handle_);
}

void Statement::bind(int parameter, std::int64_t value) {
    if (int code = sqlite3_bind_int64(handle_, parameter, value)) bind_code_ = code;
}

void Statement::bind(int parameter, std::optional<std::int64_t> value) {
    // Bindings are cleared after each use, so that what is not bound is NULL.
    if (value) bind(parameter, *value);
}

void Statement::bind(int parameter, std::string_view value) {
    // A null pointer would be NULL; the empty text is not.
    const char* data = value.data() ? value.data() : "";
    // SQLITE_TRANSIENT is a C cast inside SQLite's header.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
    int code =
        sqlite3_bind_text64(handle_, parameter, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
#pragma GCC diagnostic pop
    if (code) bind_code_ = code;
}

void Statement::bind(int parameter, NullIfEmpty value) {
    if (!value.text.empty()) bind(parameter, value.text);
}

Result<bool> Statement::step() {
    sqlite3* connection = sqlite3_db_handle(handle_);
    if (bind_code_) return fail_sqlite(connection, bind_code_);
    switch (int code = sqlite3_step(handle_)) {
        case SQLITE_ROW:
            return true;
        case SQLITE_DONE:
            return false;
        default:
            return fail_sqlite(connection, code);
    }
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(handle_, column);
}

std::string Statement::text(int column) const {
    const void* data = sqlite3_column_text(handle_, column);
    if (!data) return {};
    return std::string(static_cast<const char*>(data),
                       static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
}

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, Access access) {
    const int flags = access == Access::read_only ? SQLITE_OPEN_READONLY
                                                  : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    sqlite3* handle = nullptr;
    int code = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    // Also a failed open gives a handle, which holds the message and wants closing.
    std::unique_ptr<Connection> connection(new Connection(handle));
    if (code) {
        auto error = fail_sqlite(handle, code);
        return std::unexpected(std::move(error.error()).with_context(path));
    }
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, kBusyTimeoutMs);
    return connection;
}

Connection::~Connection() {
    for (auto& [sql, statement] : statements_)
        sqlite3_finalize(statement);
    sqlite3_close(handle_);
}

Result<void> Connection::execute_script(const std::string& sql) {
    if (int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr)) {
        return fail_sqlite(handle_, code);
    }
    return {};
}

std::int64_t Connection::last_insert_id() const {
    return sqlite3_last_insert_rowid(handle_);
}

bool Connection::in_transaction() const {
    return sqlite3_get_autocommit(handle_) == 0;
}

Result<Statement> Connection::prepare(std::string_view sql) {
    if (auto known = statements_.find(sql); known != statements_.end()) {
        return Statement(known->second);
    }
    sqlite3_stmt* statement = nullptr;
    int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                  SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code) return fail_sqlite(handle_, code);
    statements_.emplace(sqlite3_sql(statement), statement);
    return Statement(statement);
}

Result<std::int64_t> Connection::run(Statement& statement) {
    for (;;) {
        BERTH_TRY(bool row, statement.step());
        if (!row) return sqlite3_changes64(handle_);
    }
}

}  // namespace berth::store::sqlite
