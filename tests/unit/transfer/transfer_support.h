// Tars written byte by byte, so that they can be wrong, and sources that are in memory.
#pragma once

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "io/directory.h"
#include "support/registry_fixture.h"
#include "transfer/files.h"
#include "transfer/files_source.h"
#include "transfer/image_set.h"
#include "transfer/import.h"
#include "transfer/layout_format.h"

namespace berth::transfer {

struct TarEntry {
    std::string path;
    std::string content = {};
    char type = '0';
    std::string link = {};
    std::uint64_t size = 0;  // as said; 0: the content's
};

inline std::string tar_of(const std::vector<TarEntry>& entries) {
    std::string tar;
    for (const auto& entry : entries) {
        std::array<char, 512> header{};
        const auto put = [&header](std::size_t at, const std::string& text) {
            std::copy(text.begin(), text.end(), header.begin() + std::ptrdiff_t(at));
        };
        const auto octal = [](std::uint64_t value, int digits) {
            std::array<char, 32> text{};
            std::snprintf(text.data(), text.size(), "%0*llo", digits,
                          static_cast<unsigned long long>(value));
            return std::string(text.data());
        };
        put(0, entry.path);
        put(100, "0000644");
        put(124, octal(entry.size != 0 ? entry.size : entry.content.size(), 11));
        put(136, octal(0, 11));
        put(148, "        ");
        put(156, std::string(1, entry.type));
        put(157, entry.link);
        put(257, std::string("ustar\0"
                             "00",
                             8));
        unsigned sum = 0;
        for (const char c : header)
            sum += static_cast<unsigned char>(c);
        put(148, octal(sum, 6) + std::string("\0 ", 2));
        tar.append(header.data(), header.size());
        tar += entry.content;
        tar.append((512 - entry.content.size() % 512) % 512, '\0');
    }
    return tar + std::string(1024, '\0');
}

inline std::unique_ptr<io::Directory> folder_of(const std::vector<TarEntry>& entries) {
    auto folder = io::make_memory_directory();
    for (const auto& entry : entries) {
        const auto slash = entry.path.rfind('/');
        if (slash != std::string::npos) {
            EXPECT_TRUE(folder->make_directories(entry.path.substr(0, slash)));
        }
        EXPECT_TRUE(io::replace_file(*folder, entry.path, entry.content));
    }
    return folder;
}

inline std::shared_ptr<io::File> file_of(const std::string& content) {
    const auto folder = io::make_memory_directory();
    EXPECT_TRUE(io::replace_file(*folder, "file", content));
    return folder->open("file").value();
}

inline std::shared_ptr<Files> tar_files(const std::vector<TarEntry>& entries) {
    return files_in_tar(file_of(tar_of(entries))).value();
}

inline TarEntry blob_entry(const std::string& bytes) {
    return {blob_file_path(registry::sha256_of(bytes)), bytes};
}

// An entry of a layout's index.json; no name: none.
inline std::string named(const std::string& manifest, const std::string& name) {
    const auto annotations =
        name.empty() ? std::string()
                     : R"(,"annotations":{")" + std::string(kRefName) + R"(":")" + name + R"("})";
    return registry::descriptor_of(manifest, registry::kOciManifest, annotations);
}

inline std::string layout_index(const std::vector<std::string>& entries) {
    return R"({"schemaVersion":2,"manifests":[)" + registry::join(entries) + "]}";
}

class TransferFixture : public registry::RegistryFixture {
  protected:
    // What came in, or the error's code; problems_ has what did not.
    Result<ImportTotals> import(Source& source, ImportOptions options = {}) {
        options.threads = 3;
        options.on_problem = [this](const std::string& text) { problems_.push_back(text); };
        return import_images(source, {*registry_, *blobs_, *index_}, options);
    }
    std::string digest_of_tag(const std::string& repository, const std::string& tag) {
        const auto found =
            index_->find_tag(registry::repository_of(repository), registry::tag_of(tag));
        return found && *found ? (*found)->digest.text() : "none";
    }
    ImageSet choose(const std::vector<std::string>& patterns = {}) {
        return choose_images(*registry_, *index_, Selection::parse(patterns).value()).value();
    }
    Source::Report report() {
        return [this](const std::string& text) { problems_.push_back(text); };
    }

    std::vector<std::string> problems_;
};

}  // namespace berth::transfer
