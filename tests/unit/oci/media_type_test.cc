// Goal: each media type that means something to a registry is told from its neighbours.
#include "oci/media_type.h"

#include <gtest/gtest.h>

namespace berth::oci {
namespace {

TEST(MediaType, StripsParametersAndWhiteSpace) {
    struct Row {
        std::string_view content_type;
        std::string_view type;
    };
    const Row table[] = {
        {"", ""},
        {"a/b", "a/b"},
        {"a/b;charset=utf-8", "a/b"},
        {"a/b; charset=utf-8; x=y", "a/b"},
        {" \ta/b\t ; q=1", "a/b"},
        {"A/B", "A/B"},
        {";", ""},
        {" \t ", ""},
        {" ; a/b", ""},
    };
    for (const auto& row : table)
        EXPECT_EQ(strip_parameters(row.content_type), row.type) << row.content_type;
}

TEST(MediaType, IsOfOneKind) {
    for (const auto type : {kOciManifest, kDockerManifest}) {
        EXPECT_TRUE(is_manifest(type)) << type;
        EXPECT_FALSE(is_index(type) || is_schema1(type)) << type;
    }
    for (const auto type : {kOciIndex, kDockerManifestList}) {
        EXPECT_TRUE(is_index(type)) << type;
        EXPECT_FALSE(is_manifest(type) || is_schema1(type)) << type;
    }
    for (const auto type : {kDockerSchema1, kDockerSchema1Signed}) {
        EXPECT_TRUE(is_schema1(type)) << type;
        EXPECT_FALSE(is_manifest(type) || is_index(type)) << type;
    }
    for (const std::string_view type :
         {"", "application/json", "application/vnd.oci.image.manifest.v1",
          "application/vnd.oci.image.manifest.v2+json", "application/octet-stream"}) {
        EXPECT_FALSE(is_manifest(type) || is_index(type) || is_schema1(type)) << type;
    }
}

TEST(MediaType, KnowsForeignLayers) {
    for (const std::string_view type :
         {"application/vnd.oci.image.layer.nondistributable.v1.tar",
          "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
          "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
          "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"}) {
        EXPECT_TRUE(is_foreign_layer(type)) << type;
    }
    for (const std::string_view type :
         {"", "application/vnd.oci.image.layer.v1.tar+gzip",
          "application/vnd.docker.image.rootfs.diff.tar.gzip", "application/octet-stream"}) {
        EXPECT_FALSE(is_foreign_layer(type)) << type;
    }
}

}  // namespace
}  // namespace berth::oci
