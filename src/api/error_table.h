// The error table: the only place that knows the protocol's error codes and their statuses
// (distribution-spec, "Error Codes"; Docker's Registry HTTP API V2, "Errors").
//
// A handler that cannot do what was asked returns a Refusal. Errors of other layers become one by
// what they are about: the same Errc::not_found is BLOB_UNKNOWN for a blob and NAME_UNKNOWN for a
// repository. Nothing of an error that is our own fault reaches a client; it stays in `cause`, for
// the log.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace berth::api {

enum class Code {
    blob_unknown,
    blob_upload_invalid,
    blob_upload_unknown,
    denied,
    digest_invalid,
    manifest_blob_unknown,
    manifest_invalid,
    manifest_unknown,
    name_invalid,
    name_unknown,
    pagination_number_invalid,
    range_invalid,
    request_invalid,  // ours, of the admin API
    size_invalid,
    token_unknown,  // ours, of the admin API
    too_many_requests,
    unauthorized,
    unavailable,
    unknown,
    unsupported,
};

struct CodeRow {
    Code code;
    std::string_view name;
    int status;
    std::string_view message;     // what it means, where there is nothing better to say
    int retry_after_seconds = 0;  // 0: no Retry-After
};

// All rows, in the order of Code.
std::span<const CodeRow> error_table();
const CodeRow& row_of(Code code);

// What an error of another layer is about.
enum class About {
    request,     // nothing in particular
    repository,  // a repository, or its name
    catalog,     // the list of all repositories
    blob,
    digest,  // the text of a digest, or bytes that should have one
    upload,
    manifest,
    manifest_push,   // a manifest's content, and what it names
    administration,  // access tokens, and what else the admin API is for
};

struct Refusal {
    explicit Refusal(Code code, std::string message = {});
    // As About::request, so that an error can pass through where nothing is known about it.
    Refusal(Error error);  // NOLINT(google-explicit-constructor)
    Refusal(Error error, About about);

    Code code;
    int status;           // the code's, unless the case has another
    std::string message;  // a sentence for the client
    std::vector<std::pair<std::string_view, std::string>> detail;
    std::string_view oauth_error = {};  // of the token service: RFC 6749, 5.2
    std::optional<Error> cause;  // only of a failure of our own: for the log, never for the client
};

// What HTTP itself refuses: a status that the server chose, with the code nearest to it.
Refusal refusal_of(int status, std::string message);

template <class T = void>
using Reply = std::expected<T, Refusal>;

inline std::unexpected<Refusal> refuse(Code code, std::string message = {}) {
    return std::unexpected(Refusal(code, std::move(message)));
}

inline std::unexpected<Refusal> refuse(Error error, About about) {
    return std::unexpected(Refusal(std::move(error), about));
}

// The result, or the refusal that its error is, being about that.
template <class T>
Reply<T> reply(Result<T> result, About about) {
    if (!result) return refuse(std::move(result.error()), about);
    if constexpr (std::is_void_v<T>) {
        return {};
    } else {
        return std::move(*result);
    }
}

}  // namespace berth::api
