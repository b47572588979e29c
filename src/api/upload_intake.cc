#include "api/upload_intake.h"

namespace berth::api {

Reply<> Intake::open() {
    if (upload_) return {};
    registry::Registry& registry = exchange_.registry();
    const oci::RepositoryName& repository = *exchange_.repository;
    std::optional<store::UploadId> id = plan_.id;
    if (!id) {
        BERTH_TRY(
            const store::UploadInfo begun,
            reply(registry.begin_upload(repository, plan_.digest->algorithm()), About::upload));
        id = begun.id;
    }
    BERTH_TRY(upload_, reply(registry.open_upload(repository, *id), About::upload));
    info_ = upload_->info();
    return check_start(*info_);
}

Reply<> Intake::check_start(const store::UploadInfo& info) {
    if (plan_.range && plan_.range->offset != info.offset) {
        add_upload_fields(exchange_, info);
        return refuse(Code::range_invalid, "the next chunk starts at byte " +
                                               std::to_string(info.offset) + ", not at " +
                                               std::to_string(plan_.range->offset));
    }
    return check_size(exchange_.request.content_length.value_or(0));
}

Reply<> Intake::check_size(std::uint64_t more_bytes) {
    const std::uint64_t limit = exchange_.context.options.blob_bytes_max;
    const std::uint64_t offset = upload_->info().offset;
    if (limit == 0 || (offset <= limit && more_bytes <= limit - offset)) return {};
    return refuse(
        Error{Errc::too_large, "a blob may have " + std::to_string(limit) + " bytes at most"},
        About::upload);
}

Reply<> Intake::append(Bytes bytes) {
    BERTH_CHECK(check_size(bytes.size()));
    taken_ += bytes.size();
    return reply(upload_->append(bytes), About::upload);
}

Reply<> Intake::take(const Block& block) {
    Reply<> taken = open();
    if (taken && !block.bytes.empty()) taken = append(block.bytes);
    if (taken && block.error) taken = break_off(*block.error);
    if (taken && block.last) taken = end();
    if (!taken && !plan_.id) discard();
    return taken;
}

// An upload that nobody can name would only lie around. After an error nothing can be asked of an
// open one, so it is opened again.
void Intake::discard() {
    if (!upload_) return;
    const store::UploadId id = upload_->info().id;
    upload_.reset();
    const auto again = exchange_.registry().open_upload(*exchange_.repository, id);
    if (again) static_cast<void>((*again)->abort());
}

Reply<> Intake::end() {
    if (plan_.range && plan_.range->size != taken_) {
        BERTH_CHECK(reply(upload_->save(), About::upload));
        return refuse(Code::size_invalid,
                      "the chunk has " + std::to_string(taken_) + " bytes, not the " +
                          std::to_string(plan_.range->size) + " that its Content-Range says");
    }
    if (!plan_.digest) {
        BERTH_CHECK(reply(upload_->save(), About::upload));
        info_ = upload_->info();
        upload_.reset();
        return {};
    }
    return reply(
        exchange_.registry().commit_upload(std::move(upload_), *plan_.digest, exchange_.actor()),
        About::digest);
}

Reply<> Intake::break_off(const Error& error) {
    if (plan_.id) BERTH_CHECK(reply(upload_->save(), About::upload));
    return refuse(error, About::upload);
}

void add_upload_fields(Exchange& exchange, const store::UploadInfo& info) {
    const std::string& id = info.id.text();
    add_location(exchange, "v2/" + info.repository.text() + "/blobs/uploads/" + id);
    // Inclusive, so that nothing and one byte look the same: that is the protocol's.
    const std::uint64_t last = info.offset == 0 ? 0 : info.offset - 1;
    exchange.response.add("Range", "0-" + std::to_string(last));
    exchange.response.add("Docker-Upload-UUID", id);
}

}  // namespace berth::api
