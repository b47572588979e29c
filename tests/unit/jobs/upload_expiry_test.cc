// Goal: abandoned uploads go, all others stay, and nothing that goes wrong ends the job.
// Method: a blob store in memory under a fake clock, behind one that counts runs and goes wrong
// where a test says so.
#include "jobs/upload_expiry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "io/directory.h"
#include "support/blob_values.h"
#include "support/fake_clock.h"

namespace berth::jobs {
namespace {

using std::chrono::hours;
using store::Upload;
using store::UploadId;
using store::UploadInfo;
using testing::HasSubstr;
using testing::Not;

class WatchedStore final : public store::BlobStore {
  public:
    explicit WatchedStore(std::unique_ptr<store::BlobStore> inner) : inner_(std::move(inner)) {}

    std::function<void()> on_listed = [] {};  // after the uploads were listed
    std::function<Result<void>(const UploadId&)> on_open = [](const UploadId&) {
        return Result<void>();
    };

    void wait_for_runs(int count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this, count] { return runs_ >= count; });
    }

    Result<UploadInfo> begin(const oci::RepositoryName& repository,
                             oci::Algorithm algorithm) override {
        return inner_->begin(repository, algorithm);
    }
    Result<std::unique_ptr<Upload>> open_upload(const UploadId& id) override {
        BERTH_CHECK(on_open(id));
        return inner_->open_upload(id);
    }
    Result<UploadInfo> find_upload(const UploadId& id) const override {
        return inner_->find_upload(id);
    }
    Result<std::vector<UploadInfo>> uploads() override {
        {
            std::lock_guard lock(mutex_);
            ++runs_;
        }
        changed_.notify_all();
        auto uploads = inner_->uploads();
        on_listed();
        return uploads;
    }
    Result<std::size_t> upload_count() const override { return inner_->upload_count(); }
    Result<void> put(const oci::Digest& digest, Bytes bytes) override {
        return inner_->put(digest, bytes);
    }
    Result<std::uint64_t> put_file(const oci::Digest& digest, const io::File& file) override {
        return inner_->put_file(digest, file);
    }
    Result<store::OpenBlob> open(const oci::Digest& digest) const override {
        return inner_->open(digest);
    }
    Result<void> remove(const oci::Digest& digest) override { return inner_->remove(digest); }

  private:
    std::unique_ptr<store::BlobStore> inner_;
    std::mutex mutex_;
    std::condition_variable changed_;
    int runs_ = 0;
};

class UploadExpiryTest : public testing::Test {
  protected:
    UploadId begin() {
        return blobs_.begin(store::repository_name(), oci::Algorithm::sha256).value().id;
    }
    void touch(const UploadId& id) {
        const auto upload = blobs_.open_upload(id).value();
        upload->append(as_bytes("text")).value();
        upload->save().value();
    }
    bool is_there(const UploadId& id) { return blobs_.find_upload(id).has_value(); }
    // One run; the log's lines are in log_text_ then.
    Result<ExpiredUploads> expire(UploadExpiryOptions options = {.age = hours(8)}) {
        testing::internal::CaptureStderr();
        auto count = expire_uploads(blobs_, clock_, *log_, options);
        log_->flush();
        log_text_ = testing::internal::GetCapturedStderr();
        return count;
    }

    FakeClock clock_;
    std::unique_ptr<io::Directory> directory_ = io::make_memory_directory();
    WatchedStore blobs_{
        store::make_file_blob_store(*directory_, clock_, {.reserve_bytes = 0, .boot_id = "boot"})};
    std::unique_ptr<Logger> log_ = Logger::open({}, clock_).value();
    std::string log_text_;
};

TEST_F(UploadExpiryTest, RemovesWhatNobodyTouchedForTheWholeAge) {
    const UploadId abandoned = begin();
    const UploadId abandoned_with_bytes = begin();
    const UploadId resumed = begin();
    touch(abandoned_with_bytes);
    clock_.advance(hours(5));
    const UploadId young = begin();
    touch(resumed);
    clock_.advance(hours(3));
    const auto count = expire().value();
    EXPECT_EQ(count.removed, 2u);
    EXPECT_EQ(count.failed, 0u);
    EXPECT_EQ(count.kept, 2u);
    EXPECT_FALSE(is_there(abandoned));
    EXPECT_FALSE(is_there(abandoned_with_bytes));
    EXPECT_TRUE(is_there(resumed));
    EXPECT_TRUE(is_there(young));
    EXPECT_THAT(log_text_, HasSubstr(abandoned_with_bytes.text()));
    EXPECT_THAT(log_text_, HasSubstr("bytes=4"));
    EXPECT_THAT(log_text_, Not(HasSubstr(resumed.text())));
}

TEST_F(UploadExpiryTest, NeverTouchesAnUploadThatARequestHasOpen) {
    const UploadId id = begin();
    const auto upload = blobs_.open_upload(id).value();
    clock_.advance(hours(100));
    EXPECT_EQ(expire()->kept, 1u);
    ASSERT_TRUE(upload->append(as_bytes("text")));
    EXPECT_TRUE(upload->commit(store::sha256_of("text"), Upload::Known::no));
}

TEST_F(UploadExpiryTest, AnUploadThatIsTakenUpDuringTheRunStays) {
    const UploadId id = begin();
    clock_.advance(hours(100));
    blobs_.on_listed = [this, &id] { touch(id); };
    const auto count = expire().value();
    EXPECT_EQ(count.kept, 1u);
    EXPECT_EQ(count.removed, 0u);
    EXPECT_TRUE(is_there(id));
}

TEST_F(UploadExpiryTest, AnUploadThatEndsDuringTheRunIsNoFailure) {
    const UploadId id = begin();
    clock_.advance(hours(100));
    blobs_.on_listed = [this, &id] { blobs_.open_upload(id).value()->abort().value(); };
    EXPECT_EQ(expire()->failed, 0u);
    EXPECT_EQ(log_text_, "");
}

TEST_F(UploadExpiryTest, ADryRunSaysWhatItWouldRemoveAndRemovesNothing) {
    const UploadId id = begin();
    clock_.advance(hours(100));
    EXPECT_EQ(expire({.age = hours(8), .dry_run = true})->removed, 1u);
    EXPECT_TRUE(is_there(id));
    EXPECT_THAT(log_text_, HasSubstr("would be removed"));
    EXPECT_THAT(log_text_, HasSubstr(id.text()));
}

TEST_F(UploadExpiryTest, AFailureIsLoggedAndTheOthersGo) {
    const UploadId stuck = begin();
    const UploadId other = begin();
    clock_.advance(hours(100));
    blobs_.on_open = [&stuck](const UploadId& id) {
        return id == stuck ? Result<void>(fail(Errc::io, "the disk is broken")) : Result<void>();
    };
    const auto count = expire().value();
    EXPECT_EQ(count.failed, 1u);
    EXPECT_EQ(count.removed, 1u);
    EXPECT_FALSE(is_there(other));
    EXPECT_THAT(log_text_, HasSubstr("the disk is broken"));
    EXPECT_THAT(log_text_, HasSubstr(stuck.text()));
}

TEST_F(UploadExpiryTest, RunsAtOnceAndAfterEachInterval) {
    const UploadId id = begin();
    clock_.advance(hours(100));
    const UploadExpiry job(blobs_, clock_, *log_,
                           {.age = hours(8), .interval = std::chrono::milliseconds(1)});
    blobs_.wait_for_runs(3);
    EXPECT_FALSE(is_there(id));
}

// Were it to sit out its interval, this would hang.
TEST_F(UploadExpiryTest, EndsWithoutWaitingForTheInterval) {
    const UploadExpiry job(blobs_, clock_, *log_, {.interval = hours(10'000)});
    blobs_.wait_for_runs(1);
}

TEST_F(UploadExpiryTest, ARunThatThrowsDoesNotEndTheJob) {
    blobs_.on_listed = [] { throw std::runtime_error("a bug"); };
    const UploadExpiry job(blobs_, clock_, *log_, {.interval = std::chrono::milliseconds(1)});
    blobs_.wait_for_runs(3);
}

}  // namespace
}  // namespace berth::jobs
