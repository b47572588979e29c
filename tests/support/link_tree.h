// A root as registry:2 fills it: blobs and link files, written by hand.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "io/directory.h"
#include "io/path.h"
#include "oci/hasher.h"
#include "store/blob/paths.h"
#include "store/links/paths.h"

namespace berth {

class LinkTree {
  public:
    explicit LinkTree(io::Directory& directory) : directory_(directory) {}

    // Makes the file what it says, with its folders.
    void write(const std::string& path, std::string_view content) {
        ASSERT_TRUE(directory_.make_directories(io::folder_of(path)));
        auto file = directory_.create(path);
        if (!file) file = directory_.open_to_write(path);
        ASSERT_TRUE(file) << path << ": " << file.error().detail;
        ASSERT_TRUE((*file)->truncate(0));
        ASSERT_TRUE((*file)->write_at(0, as_bytes(content)));
    }
    oci::Digest add_blob(const std::string& repository, std::string_view bytes) {
        const auto digest = oci::digest_of(oci::Algorithm::sha256, as_bytes(bytes));
        write(store::blob_path(digest), bytes);
        write(layer_link(repository, digest), digest.text());
        return digest;
    }
    oci::Digest add_manifest(const std::string& repository, std::string_view json,
                             std::initializer_list<std::string> tags = {}) {
        const auto digest = oci::digest_of(oci::Algorithm::sha256, as_bytes(json));
        write(store::blob_path(digest), json);
        write(revision_link(repository, digest), digest.text());
        for (const auto& tag : tags)
            write(tag_link(repository, tag), digest.text());
        return digest;
    }
    void remove(const std::string& path) { ASSERT_TRUE(store::remove_tree(directory_, path)); }

    static std::string layer_link(const std::string& repository, const oci::Digest& digest) {
        return store::digest_link(store::layers_folder(name_of(repository)), digest);
    }
    static std::string revision_link(const std::string& repository, const oci::Digest& digest) {
        return store::digest_link(store::revisions_folder(name_of(repository)), digest);
    }
    static std::string tag_link(const std::string& repository, const std::string& tag) {
        return store::current_link(name_of(repository), tag);
    }

  private:
    static oci::RepositoryName name_of(const std::string& text) {
        return oci::RepositoryName::parse(text).value();
    }

    io::Directory& directory_;
};

}  // namespace berth
