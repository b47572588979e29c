// Goal: after a power cut at any step of a push, what was acknowledged is there, uploads are
// resumable or gone, and nothing is offered that is not right. Method: a script of pushes runs on a
// directory whose power goes at step k, for every k. Each tree found then (many seeds) is opened by
// a new store under a new kernel and compared with what the script was promised.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "io/crash_directory.h"
#include "store/blob/blob_store.h"
#include "support/blob_values.h"
#include "support/fake_clock.h"
#include "support/pattern.h"

namespace berth::store {
namespace {

constexpr std::uint64_t kSeeds = 40;
constexpr std::uint64_t kStepsMax = 1000;  // no script is that long

// What a script was promised up to the power cut.
struct Promises {
    std::map<std::string, std::string> blobs;  // digest → bytes
    std::string bytes;                         // of the upload, as the client would send them
    std::optional<UploadId> upload;
    std::uint64_t saved = 0;  // the furthest save that was begun
};

using Script = Result<void> (*)(BlobStore&, Promises&);

Result<void> push(BlobStore& store, Promises& promises, const std::string& bytes) {
    BERTH_TRY(const auto info, store.begin(repository_name(), oci::Algorithm::sha256));
    BERTH_TRY(const auto upload, store.open_upload(info.id));
    BERTH_CHECK(upload->append(as_bytes(bytes)));
    BERTH_CHECK(upload->commit(sha256_of(bytes), Upload::Known::no));
    promises.blobs[sha256_of(bytes).text()] = bytes;
    return {};
}

Result<void> put(BlobStore& store, Promises& promises, const std::string& bytes) {
    BERTH_CHECK(store.put(sha256_of(bytes), as_bytes(bytes)));
    promises.blobs[sha256_of(bytes).text()] = bytes;
    return {};
}

// One upload in three requests, saved after each, then committed.
Result<void> push_in_pieces(BlobStore& store, Promises& promises) {
    promises.bytes = pattern(5000, 1);
    BERTH_TRY(const auto info, store.begin(repository_name(), oci::Algorithm::sha256));
    promises.upload = info.id;
    for (const std::size_t end : {1800u, 1801u, 5000u}) {
        BERTH_TRY(const auto upload, store.open_upload(info.id));
        while (upload->info().offset < end) {
            const auto at = static_cast<std::size_t>(upload->info().offset);
            const auto piece =
                std::string_view(promises.bytes).substr(at, std::min<std::size_t>(700, end - at));
            BERTH_CHECK(upload->append(as_bytes(piece)));
        }
        promises.saved = end;
        BERTH_CHECK(upload->save());
    }
    BERTH_TRY(const auto upload, store.open_upload(info.id));
    BERTH_CHECK(upload->commit(sha256_of(promises.bytes), Upload::Known::no));
    promises.blobs[sha256_of(promises.bytes).text()] = promises.bytes;
    return {};
}

Result<void> push_small_blobs(BlobStore& store, Promises& promises) {
    for (unsigned i = 0; i < 4; ++i)
        BERTH_CHECK(push(store, promises, pattern(600, i)));
    return push(store, promises, "");
}

Result<void> put_manifests(BlobStore& store, Promises& promises) {
    for (unsigned i = 0; i < 4; ++i)
        BERTH_CHECK(put(store, promises, pattern(900, i)));
    return {};
}

// A blob that is acknowledged to one push comes again from others, which do not know of each other.
Result<void> push_the_same_again(BlobStore& store, Promises& promises) {
    for (int i = 0; i < 3; ++i)
        BERTH_CHECK(push(store, promises, pattern(3000, 5)));
    return put(store, promises, pattern(3000, 5));
}

Result<void> push_remove_and_push_again(BlobStore& store, Promises& promises) {
    const std::string bytes = pattern(2000, 9);
    for (int i = 0; i < 3; ++i) {
        BERTH_CHECK(push(store, promises, bytes));
        if (i == 2) break;
        promises.blobs.clear();
        BERTH_CHECK(store.remove(sha256_of(bytes)));
    }
    return {};
}

Result<void> save_and_lose_a_tail(BlobStore& store, Promises& promises) {
    promises.bytes = pattern(4000, 3);
    BERTH_TRY(const auto info, store.begin(repository_name(), oci::Algorithm::sha256));
    promises.upload = info.id;
    for (const std::size_t start : {0u, 1000u, 2000u}) {
        BERTH_TRY(const auto upload, store.open_upload(info.id));
        const auto piece = std::string_view(promises.bytes).substr(start, 1000);
        BERTH_CHECK(upload->append(as_bytes(piece)));
        promises.saved = start + 1000;
        BERTH_CHECK(upload->save());
        BERTH_CHECK(upload->append(as_bytes("bytes that do not belong here, and are not saved")));
    }
    return {};
}

// The upload goes on where the store says it is, and its bytes turn out right.
void finish_upload(BlobStore& store, const Promises& promises) {
    const auto found = store.find_upload(*promises.upload);
    const auto upload = store.open_upload(*promises.upload);
    ASSERT_EQ(found.has_value(), upload.has_value());
    if (!upload) {
        ASSERT_EQ(upload.error().code, Errc::not_found) << upload.error().detail;
        return;
    }
    const auto offset = (*upload)->info().offset;
    ASSERT_EQ(offset, found->offset);
    ASSERT_LE(offset, promises.saved);
    const auto rest = std::string_view(promises.bytes).substr(static_cast<std::size_t>(offset));
    ASSERT_TRUE((*upload)->append(as_bytes(rest)));
    const auto committed = (*upload)->commit(sha256_of(promises.bytes), Upload::Known::no);
    ASSERT_TRUE(committed) << committed.error().detail;
    ASSERT_EQ(read_blob(store, sha256_of(promises.bytes)), promises.bytes);
}

std::size_t files_without_upload(const io::Directory& directory,
                                 const std::vector<UploadInfo>& uploads) {
    const auto entries = directory.list("berth/uploads");
    if (!entries) return 0;
    std::set<std::string> names;
    for (const auto& entry : *entries)
        names.insert(entry.name);
    for (const auto& upload : uploads) {
        names.erase(upload.id.text());
        names.erase(upload.id.text() + ".state");
    }
    return names.size();
}

void check_promises(BlobStore& store, io::Directory& directory, const Promises& promises) {
    for (const auto& [digest, bytes] : promises.blobs)
        ASSERT_EQ(read_blob(store, oci::Digest::parse(digest).value()), bytes) << digest;
    const auto uploads = store.uploads();
    ASSERT_TRUE(uploads) << uploads.error().detail;
    ASSERT_EQ(files_without_upload(directory, *uploads), 0u);  // the debris is cleared away
    if (promises.upload) finish_upload(store, promises);
    // Whatever lies at a blob's path, pushing it makes it whole.
    for (unsigned i = 0; i < 4; ++i) {
        const std::string bytes = pattern(600, i);
        ASSERT_TRUE(store.put(sha256_of(bytes), as_bytes(bytes)));
        ASSERT_EQ(read_blob(store, sha256_of(bytes)), bytes);
    }
}

struct Case {
    const char* name;
    Script script;
    const char* boot_id;
};

class BlobCrash : public testing::TestWithParam<Case> {
  protected:
    std::unique_ptr<BlobStore> open(io::Directory& directory, std::string boot_id) {
        return make_file_blob_store(directory, clock_,
                                    {.reserve_bytes = 0, .boot_id = std::move(boot_id)});
    }

  private:
    FakeClock clock_;
};

TEST_P(BlobCrash, KeepsItsPromisesAfterAPowerCutAtAnyStep) {
    for (std::uint64_t step = 1; step < kStepsMax; ++step) {
        io::CrashDirectory directory;
        directory.fail_at(step);
        Promises promises;
        const auto store = open(directory, GetParam().boot_id);
        const auto done = GetParam().script(*store, promises);
        for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
            SCOPED_TRACE("step " + std::to_string(step) + ", seed " + std::to_string(seed));
            const auto found = directory.crash(seed);
            const auto reopened = open(*found, "the next boot");
            ASSERT_NO_FATAL_FAILURE(check_promises(*reopened, *found, promises));
        }
        // One step more than the script has: the power did not go.
        if (done && directory.steps() < step) return;
    }
    FAIL() << "the script never came to its end";
}

// A power cut while the store clears up after the first one.
TEST_P(BlobCrash, KeepsItsPromisesAfterASecondPowerCut) {
    for (std::uint64_t step = 1; step < 30; step += 3) {
        io::CrashDirectory directory;
        directory.fail_at(step);
        Promises promises;
        static_cast<void>(GetParam().script(*open(directory, GetParam().boot_id), promises));
        for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
            SCOPED_TRACE("step " + std::to_string(step) + ", seed " + std::to_string(seed));
            const auto found = directory.crash(seed);
            found->fail_at(found->steps() + 1 + seed % 7);
            Promises later;
            static_cast<void>(open(*found, "2")->uploads());
            static_cast<void>(push(*open(*found, "2"), later, pattern(600, 1)));
            later.blobs.insert(promises.blobs.begin(), promises.blobs.end());
            later.bytes = promises.bytes;
            later.upload = promises.upload;
            later.saved = promises.saved;
            const auto found_again = found->crash(seed * 31);
            const auto reopened = open(*found_again, "3");
            ASSERT_NO_FATAL_FAILURE(check_promises(*reopened, *found_again, later));
        }
    }
}

// The process is killed, the kernel goes on: nothing that was saved is lost, synced or not.
TEST_P(BlobCrash, LosesNothingSavedWhenOnlyTheProcessEnds) {
    for (std::uint64_t step = 1; step < kStepsMax; ++step) {
        io::CrashDirectory directory;
        directory.fail_at(step);
        Promises promises;
        const auto done = GetParam().script(*open(directory, "boot"), promises);
        const bool finished = done && directory.steps() < step;
        directory.fail_at(0);
        SCOPED_TRACE("step " + std::to_string(step));
        const auto reopened = open(directory, "boot");
        ASSERT_NO_FATAL_FAILURE(check_promises(*reopened, directory, promises));
        if (finished) return;
    }
    FAIL() << "the script never came to its end";
}

INSTANTIATE_TEST_SUITE_P(
    Scripts, BlobCrash,
    testing::Values(Case{"PushInPieces", push_in_pieces, "boot"},
                    Case{"PushInPiecesEachSynced", push_in_pieces, ""},
                    Case{"PushSmallBlobs", push_small_blobs, "boot"},
                    Case{"PutManifests", put_manifests, "boot"},
                    Case{"PushTheSameAgain", push_the_same_again, "boot"},
                    Case{"PushRemoveAndPushAgain", push_remove_and_push_again, "boot"},
                    Case{"SaveAndLoseATail", save_and_lose_a_tail, "boot"},
                    Case{"SaveAndLoseATailEachSynced", save_and_lose_a_tail, ""}),
    [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace berth::store
