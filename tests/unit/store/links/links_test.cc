// Goal: registry:2's link files are read as it would read them, and what is damaged is found.
// Method: trees written by hand, in memory, and on a disk where only a disk can have it.
#include "store/links/links.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/temporary_directory.h"
#include "unit/store/links/link_values.h"

namespace berth::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr const char* kRoot = "docker/registry/v2/repositories/";

class LinkTree : public testing::Test {
  protected:
    void put(const std::string& path, std::string_view content) {
        put_file(*directory_, kRoot + path, content);
    }
    void link(const std::string& folder, char hex) {
        put(folder + "/sha256/" + std::string(64, hex) + "/link", digest_of(hex).text());
    }
    void tag(const std::string& repository, const std::string& name, char hex) {
        put(repository + "/_manifests/tags/" + name + "/current/link", digest_of(hex).text());
    }

    std::vector<std::string> repositories() {
        std::vector<std::string> names;
        const auto listed = list_repositories(
            *directory_, [&names](const auto& name) { names.push_back(name.text()); }, findings_);
        EXPECT_TRUE(listed) << listed.error().detail;
        return names;
    }
    Links read(const std::string& repository) {
        auto links = read_links(*directory_, repository_of(repository), findings_);
        EXPECT_TRUE(links) << links.error().detail;
        return links.value_or(Links());
    }

    std::unique_ptr<io::Directory> directory_ = io::make_memory_directory();
    std::vector<Finding> findings_;
};

TEST_F(LinkTree, AnEmptyRootHasNoRepositories) {
    EXPECT_THAT(repositories(), IsEmpty());
    const auto links = read("team/app");
    EXPECT_TRUE(links.blobs.empty() && links.manifests.empty() && links.tags.empty());
    EXPECT_THAT(findings_, IsEmpty());
}

TEST_F(LinkTree, RepositoriesNestAndCanBeParents) {
    link("a/_layers", '1');
    link("a/b/_manifests/revisions", '1');
    link("a/b/c/d/_layers", '1');
    link("z/y/_layers", '1');
    put("z/x/_uploads/an-id/data", "");  // nothing was pushed to it yet
    put("stray file", "");
    EXPECT_THAT(repositories(), UnorderedElementsAre("a", "a/b", "a/b/c/d", "z/y"));
    EXPECT_THAT(findings_, IsEmpty());
}

TEST_F(LinkTree, FoldersThatCannotBeNamesAreFound) {
    link("UPPER/app/_layers", '1');
    link("a/-dash/_layers", '1');
    link("a/_underscore/_layers", '1');  // never a name
    ASSERT_TRUE(directory_->make_directories(std::string(kRoot) + "lost+found"));
    std::string deep = "x";
    while (deep.size() < 300)
        deep += "/x";
    link(deep + "/_layers", '1');
    EXPECT_THAT(repositories(), IsEmpty());
    const auto lines = lines_of(findings_);
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[0], "bad-name UPPER");
    EXPECT_EQ(lines[1], "bad-name a/-dash");
    EXPECT_THAT(lines[2], testing::StartsWith("bad-name x/x/x/"));
}

TEST_F(LinkTree, ReadsEachKindOfLinkInByteOrder) {
    for (const char hex : {'c', 'a', 'b'})
        link("team/app/_layers", hex);
    for (const char hex : {'f', 'e'})
        link("team/app/_manifests/revisions", hex);
    const std::string sha512(128, 'd');
    put("team/app/_manifests/revisions/sha512/" + sha512 + "/link", "sha512:" + sha512);
    tag("team/app", "v2", 'f');
    tag("team/app", "v1", 'e');
    tag("team/app", "V", 'e');
    link("team/app/_manifests/tags/v1/index", 'f');  // what it pointed to before
    const auto links = read("team/app");
    EXPECT_THAT(links.blobs, ElementsAre(digest_of('a'), digest_of('b'), digest_of('c')));
    EXPECT_THAT(links.manifests, ElementsAre(digest_of('e'), digest_of('f'),
                                             oci::Digest::parse("sha512:" + sha512).value()));
    std::vector<std::string> tags;
    for (const auto& tagged : links.tags)
        tags.push_back(tagged.tag.text() + "=" + std::string(tagged.digest.hex().substr(0, 1)));
    EXPECT_THAT(tags, ElementsAre("V=e", "v1=e", "v2=f"));
    EXPECT_THAT(findings_, IsEmpty());
}

TEST_F(LinkTree, ATagHasTheTimeOfItsLink) {
    tag("team/app", "v1", 'e');
    const auto file =
        directory_->open(std::string(kRoot) + "team/app/_manifests/tags/v1/current/link").value();
    const timespec times[] = {{1, 0}, {1'600'000'000, 5'000'000}};
    ASSERT_EQ(::futimens(file->fd(), times), 0);
    const auto links = read("team/app");
    ASSERT_EQ(links.tags.size(), 1u);
    EXPECT_EQ(links.tags[0].updated_at, Time(std::chrono::milliseconds(1'600'000'000'005)));
}

TEST_F(LinkTree, OnlyItsOwnLinksAreARepositorys) {
    link("a/_layers", '1');
    link("a/b/_layers", '2');
    EXPECT_THAT(read("a").blobs, ElementsAre(digest_of('1')));
}

TEST_F(LinkTree, DamagedLinksAreFoundAndLeftOut) {
    const std::string a(64, 'a'), b(64, 'b'), c(64, 'c');
    link("app/_layers", '1');
    put("app/_layers/sha256/" + a + "/link", "");
    put("app/_layers/sha256/" + b + "/link", "sha256:" + b + "\n");
    put("app/_layers/sha256/" + c + "/link", "sha256:" + a);
    put("app/_layers/sha256/not-a-digest/link", "sha256:" + a);
    put("app/_layers/tarsum.v1/" + c + "/link", "tarsum.v1:" + c);
    put("app/_layers/sha256/" + std::string(64, 'd') + "/link/inner", "");
    put("app/_manifests/revisions/sha256/" + a + "/link", std::string(5000, 'x'));
    put("app/_manifests/tags/v1/current/link", "");
    put("app/_manifests/tags/v2/current/link", "sha256:" + a.substr(1));
    put("app/_manifests/tags/.hidden/current/link", "sha256:" + a);
    tag("app", "good", '2');
    const auto links = read("app");
    EXPECT_THAT(links.blobs, ElementsAre(digest_of('1')));
    EXPECT_THAT(links.manifests, IsEmpty());
    ASSERT_EQ(links.tags.size(), 1u);
    EXPECT_EQ(links.tags[0].tag.text(), "good");
    EXPECT_THAT(
        lines_of(findings_),
        UnorderedElementsAre("empty-link app/_layers/sha256/" + a + "/link",
                             "bad-link app/_layers/sha256/" + b + "/link",
                             "bad-link app/_layers/sha256/" + c + "/link",
                             "bad-name app/_layers/sha256/not-a-digest",
                             "bad-name app/_layers/tarsum.v1/" + c,
                             "unreadable app/_layers/sha256/" + std::string(64, 'd') + "/link",
                             "bad-link app/_manifests/revisions/sha256/" + a + "/link",
                             "empty-link app/_manifests/tags/v1/current/link",
                             "bad-link app/_manifests/tags/v2/current/link",
                             "bad-name app/_manifests/tags/.hidden"));
}

// registry:2 removes the link and leaves its folder when something is deleted.
TEST_F(LinkTree, FoldersWithoutALinkAreNothing) {
    const std::string folder = std::string(kRoot) + "app/_manifests/";
    ASSERT_TRUE(directory_->make_directories(folder + "revisions/sha256/" + std::string(64, 'a')));
    ASSERT_TRUE(directory_->make_directories(folder + "tags/v1/current"));
    const auto links = read("app");
    EXPECT_TRUE(links.manifests.empty() && links.tags.empty());
    EXPECT_THAT(findings_, IsEmpty());
}

class LinkTreeOnDisk : public LinkTree {
  protected:
    LinkTreeOnDisk() { directory_ = io::open_directory(temporary_.path()).value(); }
    std::string on_disk(const std::string& path) const { return temporary_.file(kRoot + path); }

    const TemporaryDirectory temporary_;
};

TEST_F(LinkTreeOnDisk, SymbolicLinksAreNotFollowed) {
    const TemporaryDirectory elsewhere;
    link("a/app/_layers", '1');
    ASSERT_EQ(::symlink(on_disk("a").c_str(), on_disk("a/again").c_str()), 0);
    ASSERT_EQ(::symlink(elsewhere.path().c_str(), on_disk("outside").c_str()), 0);
    ASSERT_EQ(::symlink("/etc/passwd", on_disk("a/file").c_str()), 0);
    EXPECT_THAT(repositories(), ElementsAre("a/app"));
    EXPECT_THAT(lines_of(findings_), ElementsAre("unreadable a/again", "unreadable outside"));
}

TEST_F(LinkTreeOnDisk, ALinkFileThatIsASymbolicLinkOrAFifoIsFound) {
    const std::string a(64, 'a'), b(64, 'b');
    put("app/_layers/sha256/" + a + "/other", "sha256:" + a);
    ASSERT_EQ(::symlink("other", on_disk("app/_layers/sha256/" + a + "/link").c_str()), 0);
    link("app/_layers", '1');
    ASSERT_EQ(::mkdir(on_disk("app/_layers/sha256/" + b).c_str(), 0755), 0);
    ASSERT_EQ(::mkfifo(on_disk("app/_layers/sha256/" + b + "/link").c_str(), 0600), 0);
    EXPECT_THAT(read("app").blobs, ElementsAre(digest_of('1')));
    EXPECT_THAT(lines_of(findings_), ElementsAre("unreadable app/_layers/sha256/" + a + "/link",
                                                 "unreadable app/_layers/sha256/" + b + "/link"));
}

}  // namespace
}  // namespace berth::store
