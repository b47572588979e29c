// Goal: the folder of keys can be shared, rotated and cleaned while tokens are signed by it.
#include "auth/token/signing_keys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "auth/token/jwt.h"
#include "support/fake_clock.h"
#include "support/temporary_directory.h"
#include "unit/auth/token/forge.h"

namespace berth::auth {
namespace {

using namespace std::chrono_literals;

class SigningKeysTest : public ::testing::Test {
  protected:
    std::unique_ptr<SigningKeys> open(std::string_view algorithm = "ES256") {
        const auto note = [this](const Error& error) { reports.push_back(error.detail); };
        return SigningKeys::open(folder, algorithm, clock, note).value();
    }
    std::string signing(SigningKeys& keys) { return keys.current()->all.front().id(); }
    static unsigned mode_of(const std::string& path) {
        struct ::stat found{};
        EXPECT_EQ(::stat(path.c_str(), &found), 0) << path;
        return found.st_mode & 0777;
    }

    TemporaryDirectory temporary;
    std::string folder = temporary.file("deep/keys");
    FakeClock clock;
    std::vector<std::string> reports;
};

TEST_F(SigningKeysTest, MakeTheFirstKeyForTheirOwnerOnly) {
    const auto keys = open();
    const std::string id = signing(*keys);
    EXPECT_EQ(mode_of(folder), 0700u);
    EXPECT_EQ(mode_of(folder + "/" + id + ".pem"), 0600u);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
    EXPECT_THAT(keys->current()->jwks, testing::HasSubstr(id));
    const auto again = open("EdDSA");  // the key that is there goes on
    EXPECT_EQ(signing(*again), id);
}

TEST_F(SigningKeysTest, AreOneKeyForManyProcessesAtTheirFirstStart) {
    constexpr std::size_t kProcesses = 8;
    std::vector<std::string> ids(kProcesses);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < kProcesses; ++i) {
        threads.emplace_back([this, &id = ids[i]] {
            const auto keys = SigningKeys::open(folder, "ES256", clock, [](const Error&) {});
            id = keys.value()->current()->all.front().id();
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    for (const std::string& id : ids)
        EXPECT_EQ(id, ids.front());
}

TEST_F(SigningKeysTest, SignByTheNewestAndVerifyByAll) {
    const auto keys = open();
    const std::string first = signing(*keys);
    const std::string token = sign_jwt(keys->current()->all.front(), "JWT", R"({"iss":"us"})");
    const std::uint64_t before = keys->version();

    for (const std::string_view algorithm : {"EdDSA", "RS256", "ES256"}) {
        const std::string next = rotate_keys(folder, algorithm).value();
        clock.advance(1s);
        EXPECT_EQ(signing(*keys), next) << algorithm;
        EXPECT_EQ(keys->current()->all.front().algorithm(), algorithm);
        EXPECT_EQ(mode_of(folder + "/" + next + ".pem"), 0600u);
    }
    EXPECT_GT(keys->version(), before);
    EXPECT_EQ(keys->current()->all.size(), 4u);
    auth::Expectation any;
    any.needs_expiry = false;
    EXPECT_TRUE(verify_jwt(token, keys->current()->verifying, any, clock.now()));

    ASSERT_TRUE(remove_key(folder, first));
    clock.advance(1s);
    EXPECT_FALSE(verify_jwt(token, keys->current()->verifying, any, clock.now()));
    EXPECT_EQ(open()->current()->all.size(), 3u);
    EXPECT_TRUE(reports.empty());
}

// The clock of files may be set back; the key made last is the newest all the same.
TEST_F(SigningKeysTest, SignByTheOneMadeLastWhateverTheClockSays) {
    const auto keys = open();
    const std::string path = folder + "/" + signing(*keys) + ".pem";
    const auto future = std::filesystem::file_time_type::clock::now() + 24h;
    std::filesystem::last_write_time(path, future);
    const std::string next = rotate_keys(folder, "ES256").value();
    EXPECT_EQ(list_keys(folder).value().front().key.id(), next);
}

TEST_F(SigningKeysTest, KeepTheKeysBeforeABrokenOne) {
    const auto keys = open();
    const std::string id = signing(*keys);
    std::ofstream(folder + "/broken.pem") << "not a key";
    clock.advance(1s);
    EXPECT_EQ(signing(*keys), id);
    clock.advance(2s);
    EXPECT_EQ(signing(*keys), id);
    ASSERT_EQ(reports.size(), 1u);
    EXPECT_THAT(reports[0], testing::HasSubstr("broken.pem"));
    EXPECT_FALSE(SigningKeys::open(folder, "ES256", clock, [](const Error&) {}));

    std::filesystem::remove_all(folder);
    clock.advance(2s);
    EXPECT_EQ(signing(*keys), id);
    EXPECT_EQ(reports.size(), 2u);
}

TEST_F(SigningKeysTest, TakeKeysThatOthersMadeAndNothingElse) {
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/mine.pem") << rs256_key().pem();
    std::ofstream(folder + "/.hidden.pem") << "not a key";
    std::ofstream(folder + "/README") << "not a key";
    EXPECT_EQ(signing(*open()), rs256_key().id());
}

TEST_F(SigningKeysTest, NeverLoseTheLastKey) {
    const auto keys = open();
    EXPECT_EQ(remove_key(folder, "other").error().code, Errc::not_found);
    EXPECT_EQ(remove_key(folder, signing(*keys)).error().code, Errc::conflict);
    EXPECT_EQ(list_keys(folder).value().size(), 1u);
    EXPECT_EQ(rotate_keys(folder, "HS256").error().code, Errc::invalid);
    EXPECT_EQ(list_keys(temporary.file("none")).error().code, Errc::not_found);
}

TEST_F(SigningKeysTest, LiveInMemoryWithoutAFolder) {
    const auto keys = SigningKeys::open("", "EdDSA", clock, [](const Error&) {}).value();
    const auto others = SigningKeys::open("", "EdDSA", clock, [](const Error&) {}).value();
    EXPECT_EQ(signing(*keys), signing(*keys));
    EXPECT_NE(signing(*keys), signing(*others));
    EXPECT_EQ(keys->version(), 0u);
    EXPECT_FALSE(SigningKeys::open("", "HS256", clock, [](const Error&) {}));
}

}  // namespace
}  // namespace berth::auth
