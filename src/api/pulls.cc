#include "api/pulls.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "api/events.h"
#include "http/range.h"

namespace berth::api {
namespace {

constexpr int kPartialContent = 206;

// Text put together without allocating.
class ShortText {
  public:
    ShortText& operator<<(std::string_view text) {
        const std::size_t size = std::min(text.size(), text_.size() - size_);
        std::memcpy(text_.data() + size_, text.data(), size);
        size_ += size;
        return *this;
    }
    ShortText& operator<<(std::uint64_t number) {
        const auto [end, error] =
            std::to_chars(text_.data() + size_, text_.data() + text_.size(), number);
        if (error == std::errc()) size_ = static_cast<std::size_t>(end - text_.data());
        return *this;
    }
    std::string_view text() const { return {text_.data(), size_}; }

  private:
    std::array<char, 192> text_;  // a quoted sha512 digest has 137 characters
    std::size_t size_ = 0;
};

// Digest and entity tag; true when the client has it already and the answer is complete.
bool answer_known(const http::Request& request, http::Response& response,
                  const registry::Content& content) {
    const std::string& digest = content.digest.text();
    ShortText etag;
    etag << "\"" << digest << "\"";
    response.add("Docker-Content-Digest", digest);
    response.add("ETag", etag.text());
    const std::string_view known = request.field("If-None-Match");
    if (known.empty() || !http::names_etag(known, digest)) return false;
    response.status = kNotModified;
    return true;
}

void add_body(const http::Request& request, http::Response& response,
              const registry::ContentPtr& content, http::ByteRange part) {
    if (request.method == http::Method::head) {
        response.body_length(part.size);
    } else if (content->bytes) {
        response.body_shared(as_bytes(*content->bytes).subspan(part.offset, part.size), content);
    } else {
        response.body_file(content->file->fd(), part.offset, part.size, content);
    }
}

// A part is only what the client thinks it is of (RFC 9110 §13.1.5).
bool wants_part(const http::Request& request, const registry::Content& content) {
    if (request.method != http::Method::get) return false;
    std::string_view tag = request.field("If-Range");
    if (tag.empty()) return true;
    return tag.size() > 2 && tag.front() == '"' &&
           tag.substr(1, tag.size() - 2) == content.digest.text();
}

}  // namespace

void answer_manifest(const http::Request& request, http::Response& response,
                     const registry::ContentPtr& content) {
    if (answer_known(request, response, *content)) return;
    response.add("Content-Type", content->media_type);
    add_body(request, response, content, {0, content->size});
}

Reply<> answer_blob(const http::Request& request, http::Response& response,
                    const registry::ContentPtr& content) {
    // A digest's bytes never change.
    response.add("Cache-Control", "max-age=31536000, immutable");
    response.add("Accept-Ranges", "bytes");
    if (answer_known(request, response, *content)) return {};

    http::ByteRange part{0, content->size};
    const std::string_view range = request.field("Range");
    if (!range.empty() && wants_part(request, *content)) {
        const auto wanted = http::parse_range(range, content->size);
        ShortText content_range;
        if (!wanted) {
            content_range << "bytes */" << content->size;
            response.add("Content-Range", content_range.text());
            return refuse(wanted.error(), About::blob);
        }
        if (*wanted) {
            part = **wanted;
            content_range << "bytes " << part.offset << "-" << part.offset + part.size - 1 << "/"
                          << content->size;
            response.add("Content-Range", content_range.text());
            response.status = kPartialContent;
        }
    }
    response.add("Content-Type", "application/octet-stream");
    add_body(request, response, content, part);
    return {};
}

Reply<> get_manifest(Exchange& exchange) {
    const std::string_view text = exchange.route.rest;
    auto reference = oci::parse_reference(text);
    if (!reference) {
        // A tag that cannot be is not there; a digest that cannot be is a mistake.
        const bool is_digest = text.find(':') != std::string_view::npos;
        return refuse(is_digest ? Code::digest_invalid : Code::manifest_unknown,
                      std::move(reference.error().detail));
    }
    BERTH_TRY(
        const auto content,
        reply(exchange.registry().manifest(*exchange.repository, *reference), About::manifest));
    answer_manifest(exchange.request, exchange.response, content);
    // What the client has already is not pulled; a blob that it has is, to distribution.
    if (exchange.response.status != kNotModified) tell_pull(exchange, *content);
    return {};
}

Reply<> get_blob(Exchange& exchange) {
    BERTH_TRY(const auto digest, parse_digest(exchange.route.rest));
    BERTH_TRY(const auto content,
              reply(exchange.registry().blob(*exchange.repository, digest), About::blob));
    BERTH_CHECK(answer_blob(exchange.request, exchange.response, content));
    tell_pull(exchange, *content);
    return {};
}

}  // namespace berth::api
