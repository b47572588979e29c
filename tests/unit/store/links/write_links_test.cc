// Goal: a repository's link files become exactly what was asked for, durably, and no file is ever
// seen half written.
// Method: trees in memory; a power cut at each step, looked at with many seeds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "io/crash_directory.h"
#include "store/links/links.h"
#include "unit/store/links/link_values.h"

namespace berth::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr const char* kRoot = "docker/registry/v2/repositories";

LinkedTag linked(const std::string& tag, char hex) {
    return {tag_of(tag), digest_of(hex), Time()};
}

std::string link_line(const std::string& folder, char hex) {
    return folder + "/sha256/" + std::string(64, hex) + "/link = " + digest_of(hex).text();
}

class WriteLinks : public testing::Test {
  protected:
    void write(const std::string& repository, const Links& links) {
        const auto written = write_links(*directory_, repository_of(repository), links);
        ASSERT_TRUE(written) << written.error().detail;
    }
    std::vector<std::string> tree() { return tree_of(*directory_, kRoot); }

    std::unique_ptr<io::Directory> directory_ = io::make_memory_directory();
};

TEST_F(WriteLinks, AreWhereTheOriginalLooksForThem) {
    write("team/app", {.blobs = {digest_of('1')},
                       .manifests = {digest_of('2'), digest_of('3')},
                       .tags = {linked("v1", '2')}});
    EXPECT_THAT(tree(), UnorderedElementsAre(
                            link_line("team/app/_layers", '1'),
                            link_line("team/app/_manifests/revisions", '2'),
                            link_line("team/app/_manifests/revisions", '3'),
                            "team/app/_manifests/tags/v1/current/link = " + digest_of('2').text(),
                            link_line("team/app/_manifests/tags/v1/index", '2')));
}

TEST_F(WriteLinks, ReadsBackWhatWasWritten) {
    const Links links{.blobs = {digest_of('1'), digest_of('4')},
                      .manifests = {digest_of('2'), digest_of('3')},
                      .tags = {linked("latest", '3'), linked("v1", '2')}};
    write("app", links);
    std::vector<Finding> findings;
    const auto read = read_links(*directory_, repository_of("app"), findings).value();
    EXPECT_EQ(read.blobs, links.blobs);
    EXPECT_EQ(read.manifests, links.manifests);
    ASSERT_EQ(read.tags.size(), 2u);
    EXPECT_EQ(read.tags[0].tag, tag_of("latest"));
    EXPECT_EQ(read.tags[0].digest, digest_of('3'));
    EXPECT_THAT(findings, IsEmpty());
}

TEST_F(WriteLinks, WhatIsTooMuchGoesWithItsFolders) {
    write("app", {.blobs = {digest_of('1'), digest_of('4')},
                  .manifests = {digest_of('2'), digest_of('3')},
                  .tags = {linked("old", '2'), linked("v1", '2')}});
    write("app",
          {.blobs = {digest_of('4')}, .manifests = {digest_of('3')}, .tags = {linked("v1", '3')}});
    // Where the tag pointed to before stays, as in the original.
    EXPECT_THAT(tree(),
                UnorderedElementsAre(
                    link_line("app/_layers", '4'), link_line("app/_manifests/revisions", '3'),
                    "app/_manifests/tags/v1/current/link = " + digest_of('3').text(),
                    link_line("app/_manifests/tags/v1/index", '2'),
                    link_line("app/_manifests/tags/v1/index", '3')));
}

TEST_F(WriteLinks, DamagedAndForeignEntriesGo) {
    const std::string app = std::string(kRoot) + "/app/";
    put_file(*directory_, app + "_layers/sha256/junk/link", "");
    put_file(*directory_, app + "_manifests/tags/.odd/current/link", "x");
    put_file(*directory_, app + "_manifests/tags/v1/current/link", "");
    put_file(*directory_, app + "_manifests/tags/v1/current/link.tmp", "what a crash left");
    put_file(*directory_, app + "_manifests/revisions/stray/file", "");
    write("app", {.blobs = {}, .manifests = {digest_of('3')}, .tags = {linked("v1", '3')}});
    EXPECT_THAT(tree(), UnorderedElementsAre(
                            link_line("app/_manifests/revisions", '3'),
                            "app/_manifests/tags/v1/current/link = " + digest_of('3').text(),
                            link_line("app/_manifests/tags/v1/index", '3')));
}

TEST_F(WriteLinks, ARepositoryWithNothingGoesAndItsNeighboursStay) {
    write("a/b", {.blobs = {digest_of('1')}, .manifests = {}, .tags = {}});
    write("a/b/c", {.blobs = {digest_of('1')}, .manifests = {}, .tags = {}});
    write("a/b", {});
    EXPECT_THAT(tree(), ElementsAre(link_line("a/b/c/_layers", '1')));
    write("a/b/c", {});
    EXPECT_THAT(tree(), ElementsAre("/"));
    write("never/there", {});
    EXPECT_THAT(tree(), ElementsAre("/"));
}

TEST_F(WriteLinks, UploadsStay) {
    put_file(*directory_, std::string(kRoot) + "/app/_uploads/id/data", "half");
    write("app", {.blobs = {digest_of('1')}, .manifests = {}, .tags = {}});
    write("app", {});
    EXPECT_THAT(tree(), ElementsAre("app/_uploads/id/data = half"));
}

TEST(WriteLinksAndCrash, NothingIsDoneWhereNothingIsToBeDone) {
    io::CrashDirectory directory;
    const Links links{
        .blobs = {digest_of('1')}, .manifests = {digest_of('2')}, .tags = {linked("v1", '2')}};
    ASSERT_TRUE(write_links(directory, repository_of("app"), links));
    const auto steps = directory.steps();
    ASSERT_TRUE(write_links(directory, repository_of("app"), links));
    EXPECT_EQ(directory.steps(), steps);
}

// Every link is the old or the new one, or absent where it was or will be; once the call has
// returned all is new.
TEST(WriteLinksAndCrash, EachLinkIsWholeAtEveryMoment) {
    const Links before{.blobs = {digest_of('1')},
                       .manifests = {digest_of('2'), digest_of('4')},
                       .tags = {linked("old", '4'), linked("v1", '2')}};
    const Links after{.blobs = {digest_of('1'), digest_of('5')},
                      .manifests = {digest_of('2'), digest_of('3')},
                      .tags = {linked("new", '2'), linked("v1", '3')}};
    for (std::uint64_t step = 1;; ++step) {
        io::CrashDirectory directory;
        ASSERT_TRUE(write_links(directory, repository_of("app"), before));
        const auto old_lines = tree_of(directory, kRoot);
        directory.fail_at(directory.steps() + step);
        const bool done = write_links(directory, repository_of("app"), after).has_value();
        std::set<std::string> good(old_lines.begin(), old_lines.end());
        {
            io::CrashDirectory whole;
            ASSERT_TRUE(write_links(whole, repository_of("app"), before));
            ASSERT_TRUE(write_links(whole, repository_of("app"), after));
            for (const auto& line : tree_of(whole, kRoot))
                good.insert(line);
        }
        for (std::uint64_t seed = 0; seed < 40; ++seed) {
            const auto found = directory.crash(seed);
            for (const auto& line : tree_of(*found, kRoot)) {
                const bool is_leftover = line.find("link.tmp = ") != std::string::npos;
                const bool is_folder = line.ends_with("/");
                EXPECT_TRUE(is_leftover || is_folder || good.contains(line))
                    << "step " << step << " seed " << seed << ": " << line;
            }
            std::vector<Finding> findings;
            const auto read = read_links(*found, repository_of("app"), findings).value();
            EXPECT_THAT(findings, IsEmpty()) << "step " << step << " seed " << seed;
            if (!done) continue;
            EXPECT_EQ(read.blobs, after.blobs);
            EXPECT_EQ(read.manifests, after.manifests);
            EXPECT_EQ(read.tags.size(), 2u);
        }
        if (done) break;
        ASSERT_LT(step, 1000u);
    }
}

}  // namespace
}  // namespace berth::store
