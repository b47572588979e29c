// OCI layouts as a source.
#include <algorithm>
#include <set>

#include "oci/json.h"
#include "oci/manifest.h"
#include "transfer/files_source.h"
#include "transfer/image_name.h"
#include "transfer/layout_format.h"

namespace berth::transfer {
namespace {

using oci::Json;

struct Named {
    Digest digest;
    std::string repository;      // as annotated; empty: not
    std::string name;            // as annotated; empty: not
    bool is_whole_name = false;  // the name has a repository in any case
};

std::string annotation(const Json& descriptor, const char* key) {
    const auto annotations = descriptor.find("annotations");
    if (annotations == descriptor.end() || !annotations->is_object()) return {};
    const auto value = annotations->find(key);
    return value != annotations->end() && value->is_string() ? value->get<std::string>() : "";
}

Result<Named> read_entry(const Json& descriptor) {
    const bool has_digest =
        descriptor.is_object() && descriptor.contains("digest") && descriptor["digest"].is_string();
    if (!has_digest) return fail(Errc::invalid, "index.json: a manifest without a digest");
    BERTH_TRY(auto digest, Digest::parse(descriptor["digest"].get<std::string>()));
    Named named{std::move(digest), annotation(descriptor, kRepositoryAnnotation),
                annotation(descriptor, kContainerdName)};
    named.is_whole_name = !named.name.empty();
    if (!named.is_whole_name) named.name = annotation(descriptor, kRefName);
    return named;
}

Result<std::vector<Named>> read_index(const Files& files) {
    BERTH_TRY(const auto text, files.read(kLayoutIndex, kLayoutIndexBytesMax));
    BERTH_TRY(const auto json, oci::parse_json(text, kLayoutDepthMax));
    const auto manifests = json.is_object() ? json.find("manifests") : json.end();
    if (!json.is_object() || manifests == json.end() || !manifests->is_array()) {
        return fail(Errc::invalid, "index.json has no list of manifests");
    }
    std::vector<Named> entries;
    for (const Json& descriptor : *manifests) {
        BERTH_TRY(auto entry, read_entry(descriptor));
        entries.push_back(std::move(entry));
    }
    return entries;
}

// Finds a repository for each manifest.
class Sorter {
  public:
    Sorter(const Files& files, const Fallback& fallback, const Source::Report& report)
        : files_(files), fallback_(fallback), report_(report) {}

    Result<Contents> sort(const std::vector<Named>& entries) {
        for (const auto& entry : entries)
            BERTH_CHECK(place(entry));
        place_by_subject();
        for (const auto& digest : homeless_) {
            report_(digest.text() + " has no name, and no repository was given for it: left out");
        }
        return std::move(contents_);
    }

  private:
    Result<void> place(const Named& entry) {
        if (!entry.name.empty()) {
            BERTH_TRY(const auto name, name_of(entry));
            if (name) {
                add(name->repository, entry.digest, name->tag);
                return {};
            }
        }
        if (!entry.repository.empty()) {
            BERTH_TRY(const auto repository, RepositoryName::parse(entry.repository));
            add(repository, entry.digest, std::nullopt);
        } else if (fallback_ && entry.name.empty()) {
            add(*fallback_, entry.digest, std::nullopt);
        } else if (entry.name.empty()) {
            homeless_.push_back(entry.digest);
        }
        return {};
    }

    // A reference is free text in the specification: what cannot be a name here is left out.
    Result<std::optional<ImageName>> name_of(const Named& entry) {
        const auto& text = entry.name;
        const bool has_repository =
            entry.is_whole_name || text.find_first_of("/:") != std::string::npos;
        if (has_repository) {
            auto name = parse_image_name(text);
            if (name) return std::optional(std::move(*name));
        } else if (auto tag = Tag::parse(text); tag && fallback_) {
            return std::optional(ImageName{*fallback_, std::move(*tag)});
        } else if (tag) {
            return fail(Errc::invalid, "the layout names an image only by its tag, " + text +
                                           ": say into which repository, by oci:PATH:REPOSITORY");
        }
        report_("'" + text + "' is no image's name here: " + entry.digest.text() +
                " comes without a tag");
        return std::nullopt;
    }

    void add(const RepositoryName& name, const Digest& digest, const std::optional<Tag>& tag) {
        auto& repository = contents_.repositories[name];
        if (tag) {
            repository.tags.push_back({*tag, digest});
        } else {
            repository.manifests.push_back(digest);
        }
        learn(name, digest);
    }

    // What an index names is in its repository too, and may be a subject.
    void learn(const RepositoryName& name, const Digest& digest) {
        auto& known = known_[name];
        for (std::vector<Digest> unread = {digest}; !unread.empty();) {
            const Digest next = std::move(unread.back());
            unread.pop_back();
            if (!known.insert(next).second) continue;
            const auto manifest = read(next);
            if (!manifest) continue;
            for (const auto& child : manifest->manifests)
                unread.push_back(child.digest);
        }
    }

    std::optional<oci::Manifest> read(const Digest& digest) const {
        const auto bytes = files_.read(blob_file_path(digest), oci::kManifestBytesMax);
        if (!bytes) return std::nullopt;
        auto manifest = oci::parse_manifest("", *bytes);
        if (!manifest) return std::nullopt;
        return std::move(*manifest);
    }

    // Those that refer to something come after it; and what refers to them, after that.
    void place_by_subject() {
        for (bool found = true; found;) {
            found = false;
            for (auto at = homeless_.begin(); at != homeless_.end();) {
                const bool placed = place_at_subject(*at);
                at = placed ? homeless_.erase(at) : at + 1;
                found = found || placed;
            }
        }
    }

    bool place_at_subject(const Digest& digest) {
        const auto manifest = read(digest);
        if (!manifest || !manifest->subject) return false;
        std::vector<RepositoryName> homes;
        for (const auto& [name, digests] : known_) {
            if (digests.contains(manifest->subject->digest)) homes.push_back(name);
        }
        for (const auto& home : homes)
            add(home, digest, std::nullopt);
        return !homes.empty();
    }

    const Files& files_;
    const Fallback& fallback_;
    const Source::Report& report_;
    Contents contents_;
    std::map<RepositoryName, std::set<Digest>> known_;
    std::vector<Digest> homeless_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_layout(std::shared_ptr<Files> files, const Fallback& fallback,
                                            const Source::Report& report) {
    BERTH_TRY(const auto entries, read_index(*files));
    BERTH_TRY(auto contents, Sorter(*files, fallback, report).sort(entries));
    return make_files_source(std::move(files), std::move(contents));
}

}  // namespace berth::transfer
