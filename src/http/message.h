// Request and Response: one HTTP exchange as plain values (RFC 9110). No sockets, no registry
// words.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "net/stream.h"

namespace berth::http {

enum class Method { get, head, post, put, patch, remove, options, other };

struct Field {
    std::string_view name, value;
};

// All views are valid until the exchange ends.
struct Request {
    Method method = Method::other;
    std::string_view method_text;
    std::string_view target;   // as it was sent, for logs
    std::string_view path;     // without the query, still percent-encoded; absolute-form is reduced
    std::string_view query;    // what stands after `?`, still encoded
    std::string_view host;     // the Host field, or an absolute target's authority, which wins
    std::string_view version;  // HTTP/1.1
    std::vector<Field> fields;
    std::optional<std::uint64_t> content_length;  // none: no body, or a chunked one
    bool chunked = false;
    const net::Peer* peer = nullptr;
    std::string id;  // names this exchange in logs and error bodies; unguessable, not a secret

    // The value of the first field of that name (letter case does not count); empty: none.
    std::string_view field(std::string_view name) const;
    bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

// Reused from one exchange to the next of a connection, so that the hot path allocates nothing.
class Response {
  public:
    // Back to an empty 200.
    void reset();

    int status = 200;
    // The connection ends after this answer.
    bool close = false;
    // The handler's own note about the exchange: 0 at first, and reset() leaves it alone.
    std::uint8_t mark = 0;

    // Appends a field. Control characters in `value` are left out: nobody can smuggle a line.
    void add(std::string_view name, std::string_view value);
    void add(std::string_view name, std::uint64_t value);
    // The fields so far, each line ended by CRLF, without Content-Length, Date and the server's
    // own.
    std::string_view fields() const { return fields_; }
    // The value of a field added before; empty: none. Not for the hot path.
    std::string_view field(std::string_view name) const;

    // The body: one of these, or none.
    void body_text(std::string text);
    // Immutable bytes that somebody else owns, kept alive by `owner`.
    void body_shared(Bytes bytes, std::shared_ptr<const void> owner);
    // A part of a file; `owner` keeps the descriptor open.
    void body_file(int fd, std::uint64_t offset, std::uint64_t size,
                   std::shared_ptr<const void> owner);
    // Only its length, for answers to HEAD.
    void body_length(std::uint64_t size);

    struct File {
        int fd = -1;
        std::uint64_t offset = 0;
    };
    const std::optional<File>& file() const { return file_; }
    Bytes bytes() const;  // of the body, unless it is a file
    std::uint64_t size() const { return size_; }

  private:
    std::string fields_;
    std::string text_;
    Bytes shared_;
    std::shared_ptr<const void> owner_;
    std::optional<File> file_;
    std::uint64_t size_ = 0;
};

// The standard phrase of a status code, "Not Found"; "" for one that has none.
std::string_view reason_phrase(int status);

}  // namespace berth::http
