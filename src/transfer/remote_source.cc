#include "transfer/remote_source.h"

#include <algorithm>
#include <atomic>

#include "base/encoding.h"
#include "oci/hasher.h"
#include "oci/json.h"
#include "oci/manifest.h"
#include "oci/media_type.h"

namespace berth::transfer {
namespace {

using http::ClientResponse;
using oci::Json;

constexpr std::size_t kListBytesMax = 64u << 20;
constexpr std::size_t kListDepthMax = 64;
constexpr std::size_t kPagesMax = 1'000'000;
constexpr int kOk = 200, kPartial = 206, kNotFound = 404;
constexpr const char* kPageSize = "n=1000";
constexpr const char* kCatalogScope = "registry:catalog:*";

std::string accepted_types() {
    std::string types;
    for (const auto type :
         {oci::kOciManifest, oci::kOciIndex, oci::kDockerManifest, oci::kDockerManifestList})
        types += (types.empty() ? "" : ", ") + std::string(type);
    return types;
}

// The target of `<…>; rel="next"`; empty: there is no next page.
std::string next_page(const ClientResponse& response) {
    const auto* link = find_field(response, "link");
    if (!link || !link->starts_with('<') || link->find("rel=\"next\"") == link->npos) return {};
    return link->substr(1, link->find('>') - 1);
}

class RemoteSource final : public Source {
  public:
    RemoteSource(RemoteOptions options, std::optional<RepositoryName> prefix,
                 std::vector<RepositoryName> repositories)
        : client_(std::move(options)),
          prefix_(std::move(prefix)),
          named_(std::move(repositories)) {}

    Result<std::vector<RepositoryName>> repositories() override {
        if (!named_.empty()) return named_;
        auto listed =
            pages(std::string("/v2/_catalog?") + kPageSize, kCatalogScope, "repositories");
        if (!listed) {
            const auto code = listed.error().code;
            const bool is_open = code == Errc::not_found || code == Errc::unauthenticated;
            if (is_open && prefix_) return std::vector{*prefix_};
            if (!is_open) return std::unexpected(std::move(listed.error()));
            return fail(code, "the registry does not tell which repositories it has (" +
                                  listed.error().detail + "): name them by --repository");
        }
        std::vector<RepositoryName> names;
        for (const auto& text : *listed) {
            BERTH_TRY(auto name, RepositoryName::parse(text));
            const bool chosen =
                !prefix_ || name == *prefix_ || name.text().starts_with(prefix_->text() + "/");
            if (chosen) names.push_back(std::move(name));
        }
        std::ranges::sort(names);
        return names;
    }

    Result<SourceRepository> list(const RepositoryName& repository) override {
        auto tags = pages("/v2/" + repository.text() + "/tags/list?" + kPageSize,
                          scope_of(repository), "tags");
        SourceRepository listed;
        // A repository without a tag is none to some registries, though the catalog has it.
        if (!tags && tags.error().code == Errc::not_found && named_.empty()) return listed;
        if (!tags) return std::unexpected(std::move(tags.error()));
        for (const auto& text : *tags) {
            BERTH_TRY(auto tag, Tag::parse(text));
            listed.tags.push_back({std::move(tag), std::nullopt});
        }
        return listed;
    }

    Result<Digest> resolve(const RepositoryName& repository, const Tag& tag) override {
        BERTH_TRY(const auto head, ask_manifest("HEAD", repository, tag.text()));
        if (const auto* digest = find_field(head, "docker-content-digest"))
            return Digest::parse(*digest);
        BERTH_TRY(const auto whole, ask_manifest("GET", repository, tag.text()));
        return oci::digest_of(oci::Algorithm::sha256, as_bytes(whole.body));
    }

    Result<SourceManifest> manifest(const RepositoryName& repository,
                                    const Digest& digest) override {
        BERTH_TRY(auto response, ask_manifest("GET", repository, digest.text()));
        const auto* type = find_field(response, "content-type");
        return SourceManifest{type ? *type : "", std::move(response.body)};
    }

    // Registries without this API list referrers under a tag, which comes with the others.
    Result<std::vector<Digest>> referrers(const RepositoryName& repository,
                                          const Digest& digest) override {
        std::vector<Digest> found;
        if (!has_referrers_) return found;
        std::string target = "/v2/" + repository.text() + "/referrers/" + digest.text();
        for (std::size_t page = 0; !target.empty() && page < kPagesMax; ++page) {
            BERTH_TRY(const auto response, client_.send({.target = target,
                                                         .scope = scope_of(repository),
                                                         .body_bytes_max = kListBytesMax}));
            if (response.status != kOk) {
                has_referrers_ = false;
                return found;
            }
            const auto json = oci::parse_json(response.body, kListDepthMax);
            if (!json || !json->is_object() || !json->contains("manifests")) return found;
            for (const Json& descriptor : (*json)["manifests"]) {
                if (!descriptor.is_object() || !descriptor.contains("digest")) continue;
                const Json& text = descriptor["digest"];
                auto referrer = Digest::parse(text.is_string() ? text.get<std::string>() : "");
                if (referrer) found.push_back(std::move(*referrer));
            }
            target = next_page(response);
        }
        return found;
    }

    Result<void> read_blob(const RepositoryName& repository, const Digest& digest,
                           const Sink& sink) override {
        std::uint64_t taken = 0;
        for (int tries = 1;; ++tries) {
            const auto before = taken;
            auto read = read_blob_from(repository, digest, taken, sink);
            if (read || read.error().code != Errc::unavailable) return read;
            if (taken > before) tries = 1;  // it gets on
            if (tries >= client_.tries_max()) return read;
            client_.pause(tries);
        }
    }

  private:
    static std::string scope_of(const RepositoryName& repository) {
        return "repository:" + repository.text() + ":pull";
    }

    // All texts in the list `key` of a listing, page by page.
    Result<std::vector<std::string>> pages(std::string target, const std::string& scope,
                                           const char* key) {
        std::vector<std::string> texts;
        for (std::size_t page = 0; !target.empty() && page < kPagesMax; ++page) {
            BERTH_TRY(
                const auto response,
                client_.send({.target = target, .scope = scope, .body_bytes_max = kListBytesMax}));
            BERTH_CHECK(expect_ok(response));
            BERTH_TRY(const auto json, oci::parse_json(response.body, kListDepthMax));
            const auto list = json.is_object() ? json.find(key) : json.end();
            if (!json.is_object() || list == json.end()) {
                return fail(Errc::invalid, std::string("an answer without ") + key);
            }
            for (const Json& text : *list) {
                if (text.is_string()) texts.push_back(text.get<std::string>());
            }
            target = next_page(response);
        }
        return texts;
    }

    Result<void> expect_ok(const ClientResponse& response) const {
        if (response.status == kOk) return {};
        const auto code = response.status == kNotFound                       ? Errc::not_found
                          : response.status == 403 || response.status == 405 ? Errc::unauthenticated
                                                                             : Errc::invalid;
        return fail(code, client_.origin() + " answers " + std::to_string(response.status));
    }

    Result<ClientResponse> ask_manifest(const char* method, const RepositoryName& repository,
                                        const std::string& reference) {
        BERTH_TRY(auto response,
                  client_.send({.method = method,
                                .target = "/v2/" + repository.text() + "/manifests/" + reference,
                                .scope = scope_of(repository),
                                .fields = {{"Accept", accepted_types()}},
                                .body_bytes_max = oci::kManifestBytesMax}));
        BERTH_CHECK(expect_ok(response));
        return response;
    }

    // Goes on at `taken`, and counts it up.
    Result<void> read_blob_from(const RepositoryName& repository, const Digest& digest,
                                std::uint64_t& taken, const Sink& sink) {
        std::uint64_t skip = taken;  // of a server that knows no ranges
        RemoteRequest request{.target = "/v2/" + repository.text() + "/blobs/" + digest.text(),
                              .scope = scope_of(repository),
                              .timeout = std::chrono::milliseconds(0)};
        if (taken > 0) request.fields = {{"Range", "bytes=" + std::to_string(taken) + "-"}};
        request.on_body = [&](int status, Bytes bytes) -> Result<void> {
            if (status == kOk && skip > 0) {
                const auto known = std::min<std::uint64_t>(skip, bytes.size());
                bytes = bytes.subspan(static_cast<std::size_t>(known));
                skip -= known;
            }
            if (!bytes.empty()) BERTH_CHECK(sink(bytes));
            taken += bytes.size();
            return {};
        };
        BERTH_TRY(const auto response, client_.send(request));
        if (response.status == kOk || response.status == kPartial) return {};
        return expect_ok(response);
    }

    RemoteClient client_;
    const std::optional<RepositoryName> prefix_;
    const std::vector<RepositoryName> named_;
    std::atomic<bool> has_referrers_ = true;
};

}  // namespace

std::unique_ptr<Source> open_remote(RemoteOptions options, std::optional<RepositoryName> prefix,
                                    std::vector<RepositoryName> repositories) {
    return std::make_unique<RemoteSource>(std::move(options), std::move(prefix),
                                          std::move(repositories));
}

}  // namespace berth::transfer
