// Intake: the body of one request on its way into one upload. Used on the disk pool, by one thread
// at a time.
#pragma once

#include <memory>
#include <optional>

#include "api/body_reader.h"
#include "api/exchange.h"
#include "http/range.h"

namespace berth::api {

// What is to be done with the body.
struct IntakePlan {
    std::optional<store::UploadId> id;     // nullopt: an upload that lives for this request only
    std::optional<oci::Digest> digest;     // the upload ends with this body and is this blob
    std::optional<http::ByteRange> range;  // where the client says that the body belongs
};

class Intake {
  public:
    Intake(Exchange& exchange, IntakePlan plan) : exchange_(exchange), plan_(std::move(plan)) {}

    // Opens the upload if it is not open yet. Refuses a range that does not go on where the upload
    // ends (416, with the range that it has), and what would be too large.
    Reply<> open();
    // Takes the next bytes; with the last ones the upload is committed, or saved for the next
    // request. What came before the body broke off is saved.
    Reply<> take(const Block& block);

    // As of the last take().
    const store::UploadInfo& info() const { return *info_; }

  private:
    Reply<> check_start(const store::UploadInfo& info);
    Reply<> check_size(std::uint64_t more_bytes);
    Reply<> append(Bytes bytes);
    Reply<> end();
    Reply<> break_off(const Error& error);
    void discard();

    Exchange& exchange_;
    const IntakePlan plan_;
    std::unique_ptr<store::Upload> upload_;
    std::optional<store::UploadInfo> info_;
    std::uint64_t taken_ = 0;
};

// Adds Location, Range and Docker-Upload-UUID: where an upload goes on, and how far it is.
void add_upload_fields(Exchange& exchange, const store::UploadInfo& info);

}  // namespace berth::api
