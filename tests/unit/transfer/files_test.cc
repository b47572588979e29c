// Goal: files in a tar are the bytes that are there, wherever they stand, and a hostile tar is
// refused before anything is made of it.
// Method: tars written byte by byte.
#include "transfer/files.h"

#include "unit/transfer/transfer_support.h"

namespace berth::transfer {
namespace {

using testing::HasSubstr;

std::string error_of(const std::string& tar) {
    const auto files = files_in_tar(file_of(tar));
    return files ? "none" : std::string(name_of(files.error().code)) + ": " + files.error().detail;
}

TEST(TarFiles, ReadsEachFileWhereItStands) {
    const auto files = tar_files({{"./a", "first"},
                                  {"folder/", "", '5'},
                                  {"folder/empty", ""},
                                  {"folder/b", std::string(513, 'b')},
                                  {"c", std::string(512, 'c')}});
    EXPECT_EQ(files->read("a", 100).value(), "first");
    EXPECT_EQ(files->read("folder/empty", 100).value(), "");
    EXPECT_EQ(files->read("folder/b", 1000).value(), std::string(513, 'b'));
    EXPECT_EQ(files->read("c", 512).value(), std::string(512, 'c'));
    EXPECT_EQ(files->read("c", 511).error().code, Errc::too_large);
    EXPECT_EQ(files->read("folder", 100).error().code, Errc::not_found);
    EXPECT_FALSE(files->has("d"));
}

TEST(TarFiles, FollowsLinksInside) {
    const auto files = tar_files({{"layers/one.tar", "bytes"},
                                  {"image/layer.tar", "", '2', "../layers/one.tar"},
                                  {"hard", "", '1', "layers/one.tar"},
                                  {"round", "", '2', "round"},
                                  {"dangling", "", '2', "nothing"}});
    EXPECT_EQ(files->read("image/layer.tar", 100).value(), "bytes");
    EXPECT_EQ(files->read("hard", 100).value(), "bytes");
    EXPECT_EQ(files->read("round", 100).error().code, Errc::invalid);
    EXPECT_EQ(files->read("dangling", 100).error().code, Errc::not_found);
}

TEST(TarFiles, RefusesWhatLeadsOutside) {
    for (const char* path : {"../a", "/etc/passwd", "a/../../b"}) {
        EXPECT_THAT(error_of(tar_of({{path, "x"}})), HasSubstr("outside")) << path;
        EXPECT_THAT(error_of(tar_of({{"a", "", '2', path}})), HasSubstr("outside")) << path;
        EXPECT_THAT(error_of(tar_of({{"a", "", '1', path}})), HasSubstr("outside")) << path;
    }
}

TEST(TarFiles, RefusesTwoFilesOfOneName) {
    EXPECT_THAT(error_of(tar_of({{"a", "1"}, {"./a", "2"}})), HasSubstr("two files"));
}

TEST(TarFiles, RefusesSizesThatTheTarDoesNotHave) {
    for (const std::uint64_t size : {std::uint64_t{5000}, std::uint64_t{077777777777}})
        EXPECT_THAT(error_of(tar_of({{"a", "x", '0', {}, size}})), HasSubstr("invalid: ")) << size;
    const auto whole = tar_of({{"a", std::string(10'000, 'x')}});
    EXPECT_THAT(error_of(whole.substr(0, 6000)), HasSubstr("invalid: "));
}

TEST(TarFiles, RefusesWhatIsNoTarOrCompressed) {
    EXPECT_THAT(error_of("just a text that is longer than nothing"), HasSubstr("invalid: "));
    EXPECT_THAT(error_of(""), HasSubstr("invalid: "));
    const std::string gzip(
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20);
    EXPECT_THAT(error_of(gzip), HasSubstr("invalid: "));
}

TEST(TarFiles, DevicesAreNoFiles) {
    const auto files = tar_files({{"device", "", '3'}, {"a", "x"}});
    EXPECT_FALSE(files->has("device"));
    EXPECT_TRUE(files->has("a"));
}

}  // namespace
}  // namespace berth::transfer
