#include "api/error_table.h"

#include <array>

#include "oci/digest.h"

namespace berth::api {
namespace {

constexpr int kConflict = 409;
constexpr int kTimeout = 408;
constexpr int kTooLarge = 413;
constexpr int kMediaType = 415;
constexpr int kFull = 507;

constexpr std::array kTable{
    CodeRow{Code::blob_unknown, "BLOB_UNKNOWN", 404, "blob unknown to registry"},
    CodeRow{Code::blob_upload_invalid, "BLOB_UPLOAD_INVALID", 400, "blob upload invalid"},
    CodeRow{Code::blob_upload_unknown, "BLOB_UPLOAD_UNKNOWN", 404,
            "blob upload unknown to registry"},
    CodeRow{Code::denied, "DENIED", 403, "requested access to the resource is denied"},
    CodeRow{Code::digest_invalid, "DIGEST_INVALID", 400,
            "provided digest did not match uploaded content"},
    CodeRow{Code::manifest_blob_unknown, "MANIFEST_BLOB_UNKNOWN", 404,
            "manifest references a manifest or blob unknown to registry"},
    CodeRow{Code::manifest_invalid, "MANIFEST_INVALID", 400, "manifest invalid"},
    CodeRow{Code::manifest_unknown, "MANIFEST_UNKNOWN", 404, "manifest unknown to registry"},
    CodeRow{Code::name_invalid, "NAME_INVALID", 400, "invalid repository name"},
    CodeRow{Code::name_unknown, "NAME_UNKNOWN", 404, "repository name not known to registry"},
    CodeRow{Code::pagination_number_invalid, "PAGINATION_NUMBER_INVALID", 400,
            "invalid number of results requested"},
    CodeRow{Code::range_invalid, "RANGE_INVALID", 416, "invalid content range"},
    CodeRow{Code::request_invalid, "REQUEST_INVALID", 400, "the request makes no sense"},
    CodeRow{Code::size_invalid, "SIZE_INVALID", 400,
            "provided length did not match content length"},
    CodeRow{Code::token_unknown, "TOKEN_UNKNOWN", 404, "there is no such access token"},
    CodeRow{Code::too_many_requests, "TOOMANYREQUESTS", 429, "too many requests", 30},
    CodeRow{Code::unauthorized, "UNAUTHORIZED", 401, "authentication required"},
    CodeRow{Code::unavailable, "UNAVAILABLE", 503, "the registry is busy; try again", 5},
    CodeRow{Code::unknown, "UNKNOWN", 500, "the registry failed; its log says why"},
    CodeRow{Code::unsupported, "UNSUPPORTED", 405, "the operation is unsupported"},
};

constexpr std::string_view kDiskFull =
    "insufficient storage: the registry's disk is full, so pushes are refused until space is "
    "freed; pulls and deletes go on";

struct Verdict {
    Code code;
    int status = 0;  // 0: the code's own
};

Code unknown_code(About about) {
    switch (about) {
        case About::blob:
        case About::digest:
            return Code::blob_unknown;
        case About::upload:
            return Code::blob_upload_unknown;
        case About::manifest:
            return Code::manifest_unknown;
        case About::manifest_push:
            return Code::manifest_blob_unknown;
        case About::administration:
            return Code::token_unknown;
        case About::request:
        case About::repository:
        case About::catalog:
            break;
    }
    return Code::name_unknown;
}

Code invalid_code(About about) {
    switch (about) {
        case About::blob:
        case About::digest:
            return Code::digest_invalid;
        case About::upload:
            return Code::blob_upload_invalid;
        case About::manifest:
        case About::manifest_push:
            return Code::manifest_invalid;
        case About::administration:
            return Code::request_invalid;
        case About::request:
        case About::repository:
        case About::catalog:
            break;
    }
    return Code::name_invalid;
}

Verdict unsupported(About about) {
    if (about == About::manifest_push || about == About::administration)
        return {Code::unsupported, kMediaType};
    // An algorithm that is not served: for the client just a digest that will not do.
    if (about == About::digest) return {Code::digest_invalid};
    return {Code::unsupported};
}

Verdict judge(Errc code, About about) {
    switch (code) {
        case Errc::not_found:
            return {unknown_code(about)};
        case Errc::invalid:
            return {invalid_code(about)};
        case Errc::unauthenticated:
            return {Code::unauthorized};
        case Errc::already_exists:
        case Errc::denied:
            return {Code::denied};
        case Errc::conflict:
            // A blob that went away between the check and the transaction.
            if (about == About::manifest_push) return {Code::manifest_blob_unknown};
            if (about == About::administration) return {Code::request_invalid, kConflict};
            return {Code::blob_upload_invalid, kConflict};
        case Errc::out_of_range:
            return {Code::range_invalid};
        case Errc::too_large:
            return {Code::size_invalid, kTooLarge};
        case Errc::unsupported:
            return unsupported(about);
        case Errc::rate_limited:
            return {Code::too_many_requests};
        case Errc::unavailable:
            return {Code::unavailable};
        case Errc::cancelled:
            if (about == About::administration) return {Code::request_invalid, kTimeout};
            return {Code::blob_upload_invalid, kTimeout};
        case Errc::no_space:
            return {Code::unavailable, kFull};
        case Errc::io:
        case Errc::corrupt:
            break;
    }
    return {Code::unknown};
}

// Is the error's sentence meant for the one who asked? Details of things not found can name files.
bool is_for_client(Errc code, About about) {
    switch (code) {
        case Errc::not_found:
            return about == About::manifest_push;
        case Errc::unavailable:
            return about == About::catalog;  // how much of it is taken over so far
        case Errc::invalid:
        case Errc::unauthenticated:
        case Errc::conflict:
        case Errc::out_of_range:
        case Errc::too_large:
        case Errc::unsupported:
        case Errc::rate_limited:
        case Errc::cancelled:
            return true;
        default:
            return false;
    }
}

bool is_our_fault(Errc code) {
    return code == Errc::io || code == Errc::corrupt || code == Errc::no_space;
}

}  // namespace

std::span<const CodeRow> error_table() {
    return kTable;
}

const CodeRow& row_of(Code code) {
    return kTable[static_cast<std::size_t>(code)];
}

Refusal refusal_of(int status, std::string message) {
    Code code = Code::unknown;
    for (const CodeRow& row : kTable) {
        // 400 and 404 have many codes, none of which means the request as such.
        if (row.status == status && row.status > 404) code = row.code;
    }
    if (status == kTooLarge) code = Code::size_invalid;
    Refusal refusal(code, std::move(message));
    refusal.status = status;
    return refusal;
}

Refusal::Refusal(Code c, std::string text)
    : code(c), status(row_of(c).status), message(std::move(text)) {
    if (message.empty()) message = row_of(c).message;
}

Refusal::Refusal(Error error) : Refusal(std::move(error), About::request) {}

Refusal::Refusal(Error error, About about) : Refusal(judge(error.code, about).code) {
    if (const int other = judge(error.code, about).status) status = other;
    if (error.code == Errc::no_space) message = kDiskFull;
    if (is_for_client(error.code, about) && !error.detail.empty()) message = error.detail;
    if (code == Code::manifest_blob_unknown) {
        const std::string_view first =
            std::string_view(error.detail).substr(0, error.detail.find_first_of(" ,"));
        if (oci::Digest::parse(first)) detail.emplace_back("digest", first);
    }
    if (is_our_fault(error.code)) cause = std::move(error);
}

}  // namespace berth::api
