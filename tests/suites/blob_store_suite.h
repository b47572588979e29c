// What every store::BlobStore does. Include it, make a fixture type with
//
//     BlobStore& store();
//     FakeClock& clock();          // the store's
//     void restart();              // the process ends, and another one opens the store
//     bool has_leftovers();        // bytes are kept that are neither a blob's nor an upload's
//
// and INSTANTIATE_TYPED_TEST_SUITE_P(Name, BlobStoreSuite, Fixture).
// Method: each test goes through the interface alone; at its end nothing may be left over.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "oci/hasher.h"
#include "store/blob/blob_store.h"
#include "support/blob_values.h"
#include "support/fake_clock.h"

namespace berth::store {

template <class Fixture>
class BlobStoreSuite : public testing::Test {
  protected:
    using Known = Upload::Known;

    BlobStore& store() { return fixture_.store(); }
    FakeClock& clock() { return fixture_.clock(); }
    void restart() { fixture_.restart(); }

    UploadId begin(oci::Algorithm algorithm = oci::Algorithm::sha256) {
        return store().begin(repository_name(), algorithm).value().id;
    }
    std::unique_ptr<Upload> reopen(const UploadId& id) { return store().open_upload(id).value(); }
    // An upload of `text`, open.
    std::unique_ptr<Upload> upload(std::string_view text) {
        auto upload = reopen(begin());
        upload->append(as_bytes(text)).value();
        return upload;
    }
    void TearDown() override { EXPECT_FALSE(fixture_.has_leftovers()); }

  private:
    Fixture fixture_;
};

TYPED_TEST_SUITE_P(BlobStoreSuite);

TYPED_TEST_P(BlobStoreSuite, AnUploadBecomesABlob) {
    auto upload = this->reopen(this->begin());
    ASSERT_TRUE(upload->append(as_bytes("hello ")));
    ASSERT_TRUE(upload->append(as_bytes("world")));
    EXPECT_EQ(upload->info().offset, 11u);
    EXPECT_EQ(upload->commit(sha256_of("hello world"), Upload::Known::no).value(), 11u);
    upload.reset();
    EXPECT_EQ(read_blob(this->store(), sha256_of("hello world")), "hello world");
    EXPECT_THAT(this->store().uploads().value(), testing::IsEmpty());
    this->restart();
    EXPECT_EQ(read_blob(this->store(), sha256_of("hello world")), "hello world");
}

TYPED_TEST_P(BlobStoreSuite, AnEmptyUploadBecomesAnEmptyBlob) {
    EXPECT_EQ(this->upload("")->commit(sha256_of(""), Upload::Known::no).value(), 0u);
    EXPECT_EQ(this->reopen(this->begin())->commit(sha256_of(""), Upload::Known::no).value(), 0u);
    EXPECT_EQ(read_blob(this->store(), sha256_of("")), "");
}

TYPED_TEST_P(BlobStoreSuite, ABlobMayHaveAnotherAlgorithmThanItsUpload) {
    const auto sha512 = oci::digest_of(oci::Algorithm::sha512, as_bytes("text"));
    EXPECT_TRUE(this->upload("text")->commit(sha512, Upload::Known::no));
    EXPECT_EQ(read_blob(this->store(), sha512), "text");
    auto upload = this->reopen(this->begin(oci::Algorithm::sha512));
    ASSERT_TRUE(upload->append(as_bytes("other")));
    EXPECT_EQ(upload->info().algorithm, oci::Algorithm::sha512);
    EXPECT_TRUE(upload->commit(sha256_of("other"), Upload::Known::no));
    EXPECT_EQ(read_blob(this->store(), sha256_of("other")), "other");
    const auto wrong = oci::digest_of(oci::Algorithm::sha512, as_bytes("else"));
    EXPECT_EQ(code_of(this->upload("text")->commit(wrong, Upload::Known::no)), "invalid");
}

TYPED_TEST_P(BlobStoreSuite, BytesWithAnotherDigestNeverShowAndTheUploadIsGone) {
    for (const auto known : {Upload::Known::no, Upload::Known::yes}) {
        auto upload = this->upload("tampered");
        const UploadId id = upload->info().id;
        const auto refused = upload->commit(sha256_of("genuine"), known);
        ASSERT_EQ(code_of(refused), "invalid");
        EXPECT_NE(refused.error().detail.find(sha256_of("tampered").text()), std::string::npos);
        upload.reset();
        EXPECT_EQ(read_blob(this->store(), sha256_of("genuine")), "not_found");
        EXPECT_EQ(read_blob(this->store(), sha256_of("tampered")), "not_found");
        EXPECT_EQ(code_of(this->store().open_upload(id)), "not_found");
        EXPECT_EQ(code_of(this->store().find_upload(id)), "not_found");
    }
}

TYPED_TEST_P(BlobStoreSuite, AKnownBlobIsVerifiedAndDropped) {
    ASSERT_TRUE(this->upload("text")->commit(sha256_of("text"), Upload::Known::no));
    const auto before = this->store().open(sha256_of("text")).value();
    EXPECT_EQ(this->upload("text")->commit(sha256_of("text"), Upload::Known::yes).value(), 4u);
    EXPECT_EQ(read_blob(this->store(), sha256_of("text")), "text");
    EXPECT_THAT(this->store().uploads().value(), testing::IsEmpty());
}

TYPED_TEST_P(BlobStoreSuite, TheSameBlobMayBeCommittedAgain) {
    ASSERT_TRUE(this->upload("text")->commit(sha256_of("text"), Upload::Known::no));
    const auto reader = this->store().open(sha256_of("text")).value();
    ASSERT_TRUE(this->upload("text")->commit(sha256_of("text"), Upload::Known::no));
    EXPECT_EQ(read_blob(this->store(), sha256_of("text")), "text");
    std::string bytes(4, '.');
    EXPECT_EQ(reader.file->read_at(0, std::as_writable_bytes(std::span(bytes))).value(), 4u);
    EXPECT_EQ(bytes, "text");
}

TYPED_TEST_P(BlobStoreSuite, ASavedUploadGoesOnAfterARestart) {
    auto upload = this->upload("first ");
    const UploadId id = upload->info().id;
    ASSERT_TRUE(upload->save());
    upload.reset();
    this->restart();
    upload = this->reopen(id);
    EXPECT_EQ(upload->info().offset, 6u);
    EXPECT_EQ(upload->info().repository.text(), "library/alpine");
    ASSERT_TRUE(upload->append(as_bytes("second ")));
    ASSERT_TRUE(upload->save());
    upload.reset();
    upload = this->reopen(id);
    ASSERT_TRUE(upload->append(as_bytes("third")));
    ASSERT_TRUE(upload->commit(sha256_of("first second third"), Upload::Known::no));
    EXPECT_EQ(read_blob(this->store(), sha256_of("first second third")), "first second third");
}

TYPED_TEST_P(BlobStoreSuite, AnEmptyUploadThatWasSavedGoesOnAfterARestart) {
    const UploadId id = this->begin();
    ASSERT_TRUE(this->reopen(id)->save());
    this->restart();
    auto upload = this->reopen(id);
    EXPECT_EQ(upload->info().offset, 0u);
    ASSERT_TRUE(upload->append(as_bytes("text")));
    EXPECT_TRUE(upload->commit(sha256_of("text"), Upload::Known::no));
}

TYPED_TEST_P(BlobStoreSuite, WhatWasNotSavedIsDropped) {
    auto upload = this->upload("kept");
    const UploadId id = upload->info().id;
    ASSERT_TRUE(upload->save());
    ASSERT_TRUE(upload->append(as_bytes(" and forgotten, because the client went away")));
    upload.reset();
    EXPECT_EQ(this->store().find_upload(id).value().offset, 4u);
    upload = this->reopen(id);
    EXPECT_EQ(upload->info().offset, 4u);
    ASSERT_TRUE(upload->append(as_bytes("!")));
    ASSERT_TRUE(upload->commit(sha256_of("kept!"), Upload::Known::no));
    EXPECT_EQ(read_blob(this->store(), sha256_of("kept!")), "kept!");
}

TYPED_TEST_P(BlobStoreSuite, AnUploadThatWasNeverSavedStartsAgain) {
    const UploadId id = this->begin();
    ASSERT_TRUE(this->reopen(id)->append(as_bytes("forgotten")));
    auto upload = this->reopen(id);
    EXPECT_EQ(upload->info().offset, 0u);
    ASSERT_TRUE(upload->append(as_bytes("new")));
    ASSERT_TRUE(upload->commit(sha256_of("new"), Upload::Known::no));
    EXPECT_EQ(read_blob(this->store(), sha256_of("new")), "new");
}

TYPED_TEST_P(BlobStoreSuite, AnUploadIsOpenOnlyOnce) {
    const UploadId id = this->begin();
    auto upload = this->reopen(id);
    ASSERT_TRUE(upload->append(as_bytes("text")));
    EXPECT_EQ(code_of(this->store().open_upload(id)), "conflict");
    EXPECT_EQ(this->store().find_upload(id).value().offset, 0u);
    ASSERT_TRUE(upload->save());
    EXPECT_EQ(this->store().find_upload(id).value().offset, 4u);
    upload.reset();
    EXPECT_EQ(code_of(this->store().open_upload(id)), "ok");
}

TYPED_TEST_P(BlobStoreSuite, AnAbortedUploadIsGone) {
    auto upload = this->upload("text");
    const UploadId id = upload->info().id;
    ASSERT_TRUE(upload->save());
    ASSERT_TRUE(upload->abort());
    upload.reset();
    EXPECT_EQ(code_of(this->store().open_upload(id)), "not_found");
    EXPECT_THAT(this->store().uploads().value(), testing::IsEmpty());
    EXPECT_EQ(read_blob(this->store(), sha256_of("text")), "not_found");
}

TYPED_TEST_P(BlobStoreSuite, UnknownUploadsAreNotFound) {
    const UploadId id = UploadId::make();
    EXPECT_EQ(code_of(this->store().open_upload(id)), "not_found");
    EXPECT_EQ(code_of(this->store().find_upload(id)), "not_found");
    EXPECT_THAT(this->store().uploads().value(), testing::IsEmpty());
}

TYPED_TEST_P(BlobStoreSuite, ListsUploadsWithTheirTimes) {
    const Time start = this->clock().now();
    const UploadId first = this->begin();
    this->clock().advance(std::chrono::minutes(1));
    const UploadId second = this->begin();
    ASSERT_TRUE(this->reopen(second)->save());
    this->clock().advance(std::chrono::minutes(1));
    {
        auto upload = this->reopen(first);
        ASSERT_TRUE(upload->append(as_bytes("text")));
        ASSERT_TRUE(upload->save());
    }
    EXPECT_EQ(this->store().uploads().value().size(), 2u);
    this->restart();
    auto uploads = this->store().uploads().value();
    ASSERT_EQ(uploads.size(), 2u);
    std::ranges::sort(uploads, {}, &UploadInfo::started_at);
    EXPECT_EQ(uploads[0].id, first);
    EXPECT_EQ(uploads[0].offset, 4u);
    EXPECT_EQ(uploads[0].started_at, start);
    EXPECT_EQ(uploads[0].updated_at, start + std::chrono::minutes(2));
    EXPECT_EQ(uploads[1].id, second);
    EXPECT_EQ(uploads[1].updated_at, start + std::chrono::minutes(1));
}

TYPED_TEST_P(BlobStoreSuite, ListsNewUploads) {
    const UploadId id = this->begin();
    const auto uploads = this->store().uploads().value();
    ASSERT_EQ(uploads.size(), 1u);
    EXPECT_EQ(uploads[0].id, id);
    EXPECT_EQ(uploads[0].offset, 0u);
    EXPECT_EQ(uploads[0].repository.text(), "library/alpine");
}

TYPED_TEST_P(BlobStoreSuite, PutStoresWholeBytes) {
    EXPECT_EQ(code_of(this->store().put(sha256_of("{}"), as_bytes("{}"))), "ok");
    EXPECT_EQ(code_of(this->store().put(sha256_of("{}"), as_bytes("{}"))), "ok");
    EXPECT_EQ(code_of(this->store().put(sha256_of(""), {})), "ok");
    EXPECT_EQ(read_blob(this->store(), sha256_of("{}")), "{}");
    EXPECT_EQ(code_of(this->store().put(sha256_of("a"), as_bytes("b"))), "invalid");
    EXPECT_EQ(read_blob(this->store(), sha256_of("a")), "not_found");
}

TYPED_TEST_P(BlobStoreSuite, AFileBecomesABlob) {
    const auto elsewhere = io::make_memory_directory();
    const std::string bytes(3u << 20, 'x');
    const auto file = elsewhere->create("file").value();
    ASSERT_TRUE(file->write_at(0, as_bytes(bytes)));
    EXPECT_EQ(code_of(this->store().put_file(sha256_of("other"), *file)), "invalid");
    EXPECT_EQ(read_blob(this->store(), sha256_of("other")), "not_found");
    for (int times = 0; times < 2; ++times) {
        EXPECT_EQ(this->store().put_file(sha256_of(bytes), *file).value(), bytes.size());
        EXPECT_EQ(read_blob(this->store(), sha256_of(bytes)), bytes);
    }
}

TYPED_TEST_P(BlobStoreSuite, ARemovedBlobIsGoneAndCanComeBack) {
    ASSERT_TRUE(this->store().put(sha256_of("text"), as_bytes("text")));
    EXPECT_EQ(code_of(this->store().remove(sha256_of("text"))), "ok");
    EXPECT_EQ(read_blob(this->store(), sha256_of("text")), "not_found");
    EXPECT_EQ(code_of(this->store().remove(sha256_of("text"))), "not_found");
    ASSERT_TRUE(this->store().put(sha256_of("text"), as_bytes("text")));
    EXPECT_EQ(read_blob(this->store(), sha256_of("text")), "text");
}

TYPED_TEST_P(BlobStoreSuite, LargeBlobsComeInManyPieces) {
    std::string bytes;
    for (std::uint32_t i = 0; bytes.size() < (3u << 20); ++i)
        bytes += std::to_string(i * i);
    const UploadId id = this->begin();
    auto upload = this->reopen(id);
    for (std::size_t at = 0; at < bytes.size(); at += 100'000) {
        ASSERT_TRUE(upload->append(as_bytes(std::string_view(bytes).substr(at, 100'000))));
        if (at % 500'000 != 0) continue;
        ASSERT_TRUE(upload->save());
        upload.reset();
        upload = this->reopen(id);
    }
    ASSERT_TRUE(upload->commit(sha256_of(bytes), Upload::Known::no));
    EXPECT_TRUE(read_blob(this->store(), sha256_of(bytes)) == bytes);
}

TYPED_TEST_P(BlobStoreSuite, ManyThreadsPushTheSameAndOthers) {
    std::atomic<int> committed = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([this, i, &committed] {
            for (int j = 0; j < 20; ++j) {
                const std::string shared = "shared " + std::to_string(j);
                const std::string own = shared + " by " + std::to_string(i);
                if (this->upload(shared)->commit(sha256_of(shared), Upload::Known::no)) ++committed;
                if (this->upload(own)->commit(sha256_of(own), Upload::Known::no)) ++committed;
                if (this->store().put(sha256_of(shared), as_bytes(shared))) ++committed;
                EXPECT_EQ(read_blob(this->store(), sha256_of(own)), own);
                EXPECT_TRUE(this->store().uploads());
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(committed, 4 * 20 * 3);
    EXPECT_EQ(read_blob(this->store(), sha256_of("shared 19")), "shared 19");
    EXPECT_THAT(this->store().uploads().value(), testing::IsEmpty());
}

REGISTER_TYPED_TEST_SUITE_P(BlobStoreSuite, AnUploadBecomesABlob, AnEmptyUploadBecomesAnEmptyBlob,
                            ABlobMayHaveAnotherAlgorithmThanItsUpload,
                            BytesWithAnotherDigestNeverShowAndTheUploadIsGone,
                            AKnownBlobIsVerifiedAndDropped, TheSameBlobMayBeCommittedAgain,
                            ASavedUploadGoesOnAfterARestart,
                            AnEmptyUploadThatWasSavedGoesOnAfterARestart, WhatWasNotSavedIsDropped,
                            AnUploadThatWasNeverSavedStartsAgain, AnUploadIsOpenOnlyOnce,
                            AnAbortedUploadIsGone, UnknownUploadsAreNotFound,
                            ListsUploadsWithTheirTimes, ListsNewUploads, PutStoresWholeBytes,
                            AFileBecomesABlob, ARemovedBlobIsGoneAndCanComeBack,
                            LargeBlobsComeInManyPieces, ManyThreadsPushTheSameAndOthers);

}  // namespace berth::store
