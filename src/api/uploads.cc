#include "api/uploads.h"

#include "api/upload_intake.h"

namespace berth::api {
namespace {

constexpr int kCreated = 201;
constexpr int kAccepted = 202;
constexpr int kNoContent = 204;

constexpr std::size_t kBlockBytes = 1u << 20;
// A body up to this is read before the upload is even looked at.
constexpr std::uint64_t kSmallBodyBytes = 64u << 10;

void answer_session(Exchange& exchange, const store::UploadInfo& info, int status) {
    add_upload_fields(exchange, info);
    exchange.response.status = status;
}

void answer_blob_created(Exchange& exchange, const oci::Digest& digest) {
    add_content_location(exchange, "/blobs/", digest);
    exchange.response.status = kCreated;
}

// What POST asks for.
struct Beginning {
    std::optional<oci::Digest> mount, digest;
    std::optional<oci::RepositoryName> from;
    bool from_anywhere = true;
    oci::Algorithm algorithm = oci::Algorithm::sha256;
};

Reply<Beginning> parse_beginning(const Exchange& exchange) {
    BERTH_TRY(const http::Query query, query_of(exchange));
    Beginning beginning;
    if (const auto text = query.find("mount")) {
        BERTH_TRY(beginning.mount, parse_digest(*text));
    }
    if (const auto text = query.find("from"); text && !text->empty()) {
        beginning.from_anywhere = false;
        // A name that cannot be is a repository that is not there.
        if (auto name = oci::RepositoryName::parse(*text)) beginning.from = std::move(*name);
    }
    if (const auto text = query.find("digest")) {
        BERTH_TRY(beginning.digest, parse_digest(*text));
    }
    if (const auto text = query.find("digest-algorithm")) {
        BERTH_TRY(beginning.algorithm, reply(oci::parse_algorithm(*text), About::digest));
    }
    return beginning;
}

// True: mounted and answered. Whatever stands against it, the client is told to push instead, so
// that nobody learns of what they may not read.
Reply<bool> try_mount(Exchange& exchange, const Beginning& beginning) {
    if (!beginning.mount || (!beginning.from && !beginning.from_anywhere)) return false;
    const auto may_pull = [&exchange](const oci::RepositoryName& source) {
        return exchange.may_pull(source.text());
    };
    BERTH_TRY(const bool mounted,
              reply(exchange.registry().mount_blob(*exchange.repository, *beginning.mount,
                                                   beginning.from, may_pull, exchange.actor()),
                    About::blob));
    if (mounted) answer_blob_created(exchange, *beginning.mount);
    return mounted;
}

// Mounts, or begins a session. False: neither, the body is to be the blob.
Reply<bool> answer_beginning(Exchange& exchange, const Beginning& beginning) {
    BERTH_TRY(const bool mounted, try_mount(exchange, beginning));
    if (mounted || beginning.digest) return mounted;
    BERTH_TRY(const store::UploadInfo info,
              reply(exchange.registry().begin_upload(*exchange.repository, beginning.algorithm),
                    About::upload));
    answer_session(exchange, info, kAccepted);
    return true;
}

// Whatever is no id names no upload.
Reply<store::UploadId> parse_id(const Exchange& exchange) {
    auto id = store::UploadId::parse(exchange.route.rest);
    if (!id) return refuse(Code::blob_upload_unknown);
    return std::move(*id);
}

Reply<IntakePlan> parse_continuation(const Exchange& exchange) {
    BERTH_TRY(const http::Query query, query_of(exchange));
    IntakePlan plan;
    BERTH_TRY(plan.id, parse_id(exchange));
    if (exchange.request.method == http::Method::put) {
        const auto text = query.find("digest");
        if (!text) return refuse(Code::digest_invalid, "the blob's digest is missing: ?digest=…");
        BERTH_TRY(plan.digest, parse_digest(*text));
    }
    const std::string_view range = exchange.request.field("Content-Range");
    if (range.empty()) return plan;
    BERTH_TRY(plan.range, reply(http::parse_chunk_range(range), About::upload));
    const std::uint64_t announced =
        exchange.request.content_length.value_or(exchange.request.chunked ? plan.range->size : 0);
    if (announced != plan.range->size) {
        return refuse(Code::size_invalid, "Content-Range and Content-Length do not fit each other");
    }
    return plan;
}

Task<Reply<>> receive(Exchange& exchange, Intake& intake) {
    Pool& disk = exchange.context.services.disk;
    const http::Request& request = exchange.request;
    if (request.chunked || request.content_length.value_or(0) > kSmallBodyBytes) {
        // So that a long body that nobody can take is not asked for (Expect: 100-continue).
        auto open = [&intake] { return intake.open(); };
        Reply<> opened = co_await run_on(disk, open);
        if (!opened) co_return opened;
    }
    BodyReader reader(request, exchange.body, kBlockBytes);
    for (;;) {
        const Block block = co_await reader.next();
        if (block.error) exchange.response.close = true;
        auto take = [&intake, &block] { return intake.take(block); };
        Reply<> taken = co_await run_on(disk, take);
        if (!taken || block.last) co_return taken;
    }
}

}  // namespace

Task<Reply<>> begin_upload(Exchange& exchange) {
    Reply<Beginning> beginning = parse_beginning(exchange);
    if (!beginning) co_return std::unexpected(std::move(beginning.error()));
    if (beginning->mount || !beginning->digest) {
        auto work = [&exchange, &beginning] { return answer_beginning(exchange, *beginning); };
        Reply<bool> answered = co_await run_on(exchange.context.services.disk, work);
        if (!answered) co_return std::unexpected(std::move(answered.error()));
        if (*answered) co_return Reply<>();
    }
    Intake intake(exchange, {std::nullopt, beginning->digest, std::nullopt});
    Reply<> received = co_await receive(exchange, intake);
    if (received) answer_blob_created(exchange, *beginning->digest);
    co_return received;
}

Task<Reply<>> continue_upload(Exchange& exchange) {
    Reply<IntakePlan> plan = parse_continuation(exchange);
    if (!plan) co_return std::unexpected(std::move(plan.error()));
    const std::optional<oci::Digest> digest = plan->digest;
    Intake intake(exchange, std::move(*plan));
    Reply<> received = co_await receive(exchange, intake);
    if (!received) co_return received;
    if (digest) {
        answer_blob_created(exchange, *digest);
    } else {
        answer_session(exchange, intake.info(), kAccepted);
    }
    co_return received;
}

Reply<> get_upload(Exchange& exchange) {
    BERTH_TRY(const store::UploadId id, parse_id(exchange));
    BERTH_TRY(const store::UploadInfo info,
              reply(exchange.registry().upload_status(*exchange.repository, id), About::upload));
    answer_session(exchange, info, kNoContent);
    return {};
}

Reply<> cancel_upload(Exchange& exchange) {
    BERTH_TRY(const store::UploadId id, parse_id(exchange));
    BERTH_TRY(const auto upload,
              reply(exchange.registry().open_upload(*exchange.repository, id), About::upload));
    BERTH_CHECK(reply(upload->abort(), About::upload));
    exchange.response.status = kNoContent;
    return {};
}

}  // namespace berth::api
