// Goal: the blob store on files keeps its interface, its layout and its reserve, and clears up
// after crashes. Method: the suite on a disk and in memory; directories that fail at one step, or
// have little space.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "io/crash_directory.h"
#include "io/directory.h"
#include "suites/blob_store_suite.h"
#include "support/temporary_directory.h"

namespace berth::store {
namespace {

using testing::IsEmpty;

constexpr std::string_view kUploads = "berth/uploads";

std::vector<std::string> names(const io::Directory& directory, std::string_view path) {
    std::vector<std::string> names;
    const auto entries = directory.list(path);
    if (!entries) return names;
    for (const auto& entry : *entries)
        names.push_back(entry.name);
    std::ranges::sort(names);
    return names;
}

template <class Derived>
class FileFixture {
  public:
    BlobStore& store() { return *store_; }
    FakeClock& clock() { return clock_; }
    void restart() { store_ = open(); }
    bool has_leftovers() {
        auto kept = names(*directory_, kUploads);
        const auto uploads = store_->uploads().value();
        for (const auto& upload : uploads) {
            std::erase(kept, upload.id.text());
            std::erase(kept, upload.id.text() + ".state");
        }
        return !kept.empty();
    }

  protected:
    explicit FileFixture(std::unique_ptr<io::Directory> directory)
        : directory_(std::move(directory)) {}

  private:
    std::unique_ptr<BlobStore> open() {
        return make_file_blob_store(*directory_, clock_, {.reserve_bytes = 0, .boot_id = "boot"});
    }
    FakeClock clock_;
    std::unique_ptr<io::Directory> directory_;
    std::unique_ptr<BlobStore> store_ = open();
};

struct MemoryFixture : FileFixture<MemoryFixture> {
    MemoryFixture() : FileFixture(io::make_memory_directory()) {}
};
struct DiskFixture : private TemporaryDirectory, public FileFixture<DiskFixture> {
    DiskFixture() : FileFixture(io::open_directory(TemporaryDirectory::path()).value()) {}
};

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, BlobStoreSuite, MemoryFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(Disk, BlobStoreSuite, DiskFixture);

class FileBlobStoreTest : public testing::Test {
  protected:
    std::unique_ptr<BlobStore> open(std::string boot_id = "boot") {
        return make_file_blob_store(directory_, clock_,
                                    {.reserve_bytes = 1000, .boot_id = std::move(boot_id)});
    }
    Result<UploadId> begin(BlobStore& store) {
        BERTH_TRY(auto info, store.begin(repository_name(), oci::Algorithm::sha256));
        return info.id;
    }
    // An upload with `text` saved.
    UploadId save(BlobStore& store, std::string_view text) {
        const UploadId id = begin(store).value();
        const auto upload = store.open_upload(id).value();
        upload->append(as_bytes(text)).value();
        upload->save().value();
        return id;
    }

    FakeClock clock_;
    io::CrashDirectory directory_;
};

TEST_F(FileBlobStoreTest, BlobsAreAtThePathsOfRegistry2) {
    ASSERT_TRUE(open()->put(sha256_of(""), {}));
    EXPECT_TRUE(
        directory_.open("docker/registry/v2/blobs/sha256/e3/"
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855/data"));
    EXPECT_THAT(names(directory_, kUploads), IsEmpty());
}

TEST_F(FileBlobStoreTest, RefusesPushesThatWouldEatIntoTheReserve) {
    const auto store = open();
    directory_.set_space({10'000, 1'003});
    EXPECT_EQ(code_of(begin(*store)), "ok");
    EXPECT_EQ(code_of(store->put(sha256_of("1234"), as_bytes("1234"))), "no_space");
    EXPECT_EQ(code_of(store->put(sha256_of("123"), as_bytes("123"))), "ok");
    directory_.set_space({10'000, 999});
    EXPECT_EQ(code_of(begin(*store)), "no_space");
    EXPECT_EQ(read_blob(*store, sha256_of("123")), "123");
    EXPECT_EQ(code_of(store->remove(sha256_of("123"))), "ok");
}

TEST_F(FileBlobStoreTest, ALongUploadLooksAtTheSpaceAgain) {
    const auto store = open();
    const auto upload = store->open_upload(begin(*store).value()).value();
    const std::string block(1 << 20, 'x');
    directory_.set_space({10'000, 999});
    Result<void> appended;
    std::uint64_t written = 0;
    while (written < (64u << 20) && (appended = upload->append(as_bytes(block))))
        written += block.size();
    EXPECT_EQ(code_of(appended), "no_space");
}

TEST_F(FileBlobStoreTest, ManyUploadsLookAtTheSpaceTogether) {
    const auto store = open();
    const std::string block(1 << 20, 'x');
    std::vector<std::unique_ptr<Upload>> uploads;
    for (int i = 0; i < 32; ++i)
        uploads.push_back(store->open_upload(begin(*store).value()).value());
    directory_.set_space({10'000, 999});
    const auto refused = std::ranges::count_if(
        uploads, [&block](const auto& upload) { return !upload->append(as_bytes(block)); });
    EXPECT_GE(refused, 16);
}

TEST_F(FileBlobStoreTest, AFullDiskIsSaidAsSuchAndCostsOnlyWhatWasNotSaved) {
    const auto store = open();
    const UploadId id = save(*store, "kept");
    {
        const auto upload = store->open_upload(id).value();
        directory_.fail_once_at(directory_.steps() + 1, ENOSPC);
        EXPECT_EQ(code_of(upload->append(as_bytes("more"))), "no_space");
    }
    const auto upload = store->open_upload(id).value();
    ASSERT_TRUE(upload->append(as_bytes("!")));
    EXPECT_TRUE(upload->commit(sha256_of("kept!"), Upload::Known::no));
}

TEST_F(FileBlobStoreTest, ASaveThatFailsCostsOnlyWhatWasNotSaved) {
    for (const std::string_view saved : {"", "kept"}) {
        for (std::uint64_t step = 1; step <= 2; ++step) {
            const auto store = open();
            const UploadId id = saved.empty() ? begin(*store).value() : save(*store, saved);
            {
                const auto upload = store->open_upload(id).value();
                ASSERT_TRUE(upload->append(as_bytes("more")));
                directory_.fail_once_at(directory_.steps() + step, ENOSPC);
                const auto failed = upload->save();
                EXPECT_TRUE(!failed || (step == 2 && !saved.empty()));  // which writes only
                directory_.fail_once_at(0, 0);
                if (failed) continue;
            }
            const auto upload = store->open_upload(id).value();
            EXPECT_EQ(upload->info().offset, saved.size());
            ASSERT_TRUE(upload->append(as_bytes("!")));
            ASSERT_TRUE(upload->save());
            const std::string text = std::string(saved) + "!";
            EXPECT_TRUE(upload->commit(sha256_of(text), Upload::Known::no));
        }
    }
}

TEST_F(FileBlobStoreTest, APutThatFailsLeavesNothing) {
    const auto store = open();
    ASSERT_TRUE(store->put(sha256_of("first"), as_bytes("first")));
    for (std::uint64_t step = 1;; ++step) {
        const std::string text = "text " + std::to_string(step);
        directory_.fail_once_at(directory_.steps() + step, ENOSPC);
        if (store->put(sha256_of(text), as_bytes(text))) {
            EXPECT_GT(step, 5u);
            break;
        }
        EXPECT_THAT(names(directory_, kUploads), IsEmpty()) << step;
        EXPECT_EQ(code_of(store->put(sha256_of(text), as_bytes(text))), "ok");
        EXPECT_EQ(read_blob(*store, sha256_of(text)), text);
    }
}

TEST_F(FileBlobStoreTest, ACommitThatFailsCanBePushedAgain) {
    const auto store = open();
    for (std::uint64_t step = 1;; ++step) {
        const std::string text = "text " + std::to_string(step);
        const UploadId id = save(*store, text);
        directory_.fail_once_at(directory_.steps() + step, EIO);
        const auto committed =
            store->open_upload(id).value()->commit(sha256_of(text), Upload::Known::no);
        const bool failed_while_clearing = committed && !names(directory_, kUploads).empty();
        if (committed && !failed_while_clearing) {
            EXPECT_GT(step, 5u);
            break;
        }
        if (committed) {
            EXPECT_EQ(read_blob(*store, sha256_of(text)), text);
        } else {
            EXPECT_EQ(code_of(committed), "io");
        }
        ASSERT_TRUE(store->put(sha256_of(text), as_bytes(text)));
        EXPECT_EQ(read_blob(*store, sha256_of(text)), text);
        // What is left is resumable, or gone the next time somebody looks.
        if (const auto again = store->open_upload(id)) {
            ASSERT_TRUE((*again)->abort());
        }
        EXPECT_THAT(store->uploads().value(), IsEmpty());
        EXPECT_THAT(names(directory_, kUploads), IsEmpty()) << step;
    }
}

TEST_F(FileBlobStoreTest, ClearsWhatACrashLeft) {
    ASSERT_TRUE(directory_.make_directories(kUploads));
    const std::string path(kUploads);
    ASSERT_TRUE(directory_.create(path + "/6ba7b810-9dad-41d1-80b4-00c04fd430c8"));  // no state
    ASSERT_TRUE(io::replace_file(directory_, path + "/6ba7b811-9dad-41d1-80b4-00c04fd430c8.state",
                                 "berth-upl"));
    ASSERT_TRUE(directory_.create("berth/uploads/README"));  // somebody else's
    const auto store = open();
    const UploadId id = save(*store, "text");
    EXPECT_EQ(store->uploads().value().size(), 1u);
    EXPECT_THAT(names(directory_, kUploads),
                testing::UnorderedElementsAre("README", id.text(), id.text() + ".state"));
    ASSERT_TRUE(store->open_upload(id));
}

TEST_F(FileBlobStoreTest, TheSameKernelKeepsWhatWasNotSynced) {
    const UploadId id = save(*open(), "text");
    EXPECT_EQ(open()->find_upload(id).value().offset, 4u);
    EXPECT_EQ(open()->open_upload(id).value()->info().offset, 4u);
}

TEST_F(FileBlobStoreTest, AnotherKernelStartsAtWhatWasSynced) {
    const UploadId id = save(*open(), "text");
    const auto store = open("another boot");
    EXPECT_EQ(store->find_upload(id).value().offset, 0u);
    const auto upload = store->open_upload(id).value();
    EXPECT_EQ(upload->info().offset, 0u);
    ASSERT_TRUE(upload->append(as_bytes("once more")));
    ASSERT_TRUE(upload->commit(sha256_of("once more"), Upload::Known::no));
}

TEST_F(FileBlobStoreTest, WithoutAKernelsNameEverySaveIsSynced) {
    const UploadId id = save(*open(""), "text");
    EXPECT_EQ(open("")->find_upload(id).value().offset, 4u);
    EXPECT_EQ(open("another boot")->find_upload(id).value().offset, 4u);
}

TEST_F(FileBlobStoreTest, ManyUnsyncedBytesAreSyncedBySave) {
    const std::string block(33 << 20, 'x');
    UploadId id = UploadId::make();
    {
        const auto store = open();
        id = save(*store, block);
        const auto upload = store->open_upload(id).value();
        ASSERT_TRUE(upload->append(as_bytes(block)));
        ASSERT_TRUE(upload->save());
        ASSERT_TRUE(upload->append(as_bytes("more")));
        ASSERT_TRUE(upload->save());
    }
    EXPECT_EQ(open()->find_upload(id).value().offset, 2 * block.size() + 4);
    EXPECT_EQ(open("another boot")->find_upload(id).value().offset, 2 * block.size());
}

TEST_F(FileBlobStoreTest, AnUploadWhoseBytesAreGoneIsGone) {
    const UploadId id = save(*open(), "text");
    ASSERT_TRUE(directory_.remove("berth/uploads/" + id.text()));
    const auto store = open();
    EXPECT_EQ(code_of(store->find_upload(id)), "not_found");
    EXPECT_EQ(code_of(store->open_upload(id)), "not_found");
    EXPECT_THAT(store->uploads().value(), IsEmpty());
    EXPECT_THAT(names(directory_, kUploads), IsEmpty());
}

TEST_F(FileBlobStoreTest, AnUploadWithTooFewBytesIsGone) {
    for (const bool same_process : {true, false}) {
        auto store = open();
        const UploadId id = save(*store, "text");
        const auto data = directory_.open_to_write("berth/uploads/" + id.text());
        ASSERT_TRUE((*data)->truncate(3));
        if (!same_process) {
            store = open();
            EXPECT_EQ(code_of(store->find_upload(id)), "not_found");
        }
        EXPECT_EQ(code_of(store->open_upload(id)), "not_found");
        EXPECT_THAT(store->uploads().value(), IsEmpty());
        EXPECT_THAT(names(directory_, kUploads), IsEmpty());
    }
}

TEST_F(FileBlobStoreTest, AnUploadThatWasNeverSavedEndsWithTheProcess) {
    const UploadId empty = begin(*open()).value();
    const auto store = open();
    const UploadId id = begin(*store).value();
    ASSERT_TRUE(store->open_upload(id).value()->append(as_bytes("text")));
    EXPECT_THAT(names(directory_, kUploads), testing::ElementsAre(id.text()));
    const auto next = open();
    EXPECT_EQ(code_of(next->open_upload(empty)), "not_found");
    EXPECT_EQ(code_of(next->open_upload(id)), "not_found");
    EXPECT_THAT(next->uploads().value(), IsEmpty());
    EXPECT_THAT(names(directory_, kUploads), IsEmpty());
}

TEST_F(FileBlobStoreTest, MoreNewUploadsThanMemoryKeepsAreInFiles) {
    const auto store = open();
    std::vector<UploadId> ids;
    while (names(directory_, kUploads).empty()) {
        ids.push_back(begin(*store).value());
        ASSERT_LT(ids.size(), 100'000u);
    }
    EXPECT_EQ(store->uploads().value().size(), ids.size());
    for (const auto& id : {ids.front(), ids.back()}) {
        const auto upload = store->open_upload(id).value();
        ASSERT_TRUE(upload->append(as_bytes("text")));
        ASSERT_TRUE(upload->commit(sha256_of("text"), Upload::Known::no));
    }
    EXPECT_EQ(open()->uploads().value().size(), 0u);
    EXPECT_THAT(names(directory_, kUploads), IsEmpty());
}

TEST_F(FileBlobStoreTest, APushOfASmallBlobTakesFewSteps) {
    const auto store = open();
    const std::string text = "4 KB";
    ASSERT_TRUE(store->put(sha256_of(text), as_bytes(text)));  // the fan-out folder is now known
    ASSERT_TRUE(store->remove(sha256_of(text)));
    const std::uint64_t before = directory_.steps();
    const UploadId id = begin(*store).value();
    EXPECT_EQ(directory_.steps(), before);
    const auto upload = store->open_upload(id).value();  // create
    ASSERT_TRUE(upload->append(as_bytes(text)));         // write
    // mkdir, rename, sync, sync of two folders
    ASSERT_TRUE(upload->commit(sha256_of(text), Upload::Known::no));
    EXPECT_EQ(directory_.steps() - before, 7u);
}

}  // namespace
}  // namespace berth::store
