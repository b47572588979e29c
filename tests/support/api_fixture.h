// The whole wire in one process: the real Api on the real HTTP server, its stores in memory.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/api.h"
#include "auth/audit/audit_log.h"
#include "auth/audit/audit_verify.h"
#include "auth/password_file.h"
#include "auth/token/access_tokens.h"
#include "auth/token/token_issuer.h"
#include "base/encoding.h"
#include "base/random.h"
#include "io/directory.h"
#include "metrics/metrics.h"
#include "oci/hasher.h"
#include "store/index/sqlite_index.h"
#include "support/fake_clock.h"
#include "support/http_exchange.h"
#include "support/registry_fixture.h"
#include "support/temporary_directory.h"

namespace berth::api {

struct ApiSetup {
    ApiOptions options = {};
    std::optional<std::vector<auth::Rule>> rules = std::nullopt;
    // User → password. Without: nothing to log in to.
    std::map<std::string, std::string> users = {};
    // Makes those that are asked before the users' passwords.
    std::function<std::vector<std::unique_ptr<auth::Verifier>>(const Clock&)> verifiers = {};
    bool access_tokens = false;
    std::optional<auth::IssuerOptions> issuer = std::nullopt;
    bool audit = false;
    registry::RegistryOptions registry = {};
    LogLevel log_level = LogLevel::error;
    metrics::Metrics* metrics = nullptr;
    std::function<bool()> ready = {};
    std::function<void(registry::Event)> on_pull = {};
    std::function<void()> on_change = {};
    store::RecordedEvents events = {};
};

inline std::string basic(const std::string& user, const std::string& password) {
    return "Basic " + base64_encode(as_bytes(user + ":" + password));
}

// Everything that stands behind a served Api.
class ApiServer {
  public:
    explicit ApiServer(ApiSetup setup)
        : index_(store::open_sqlite_index({.path = ":memory:", .events = setup.events}, clock_)
                     .value()),
          registry_(*blobs_, *index_, std::move(setup.registry)) {
        LogOptions log;
        log.level = setup.log_level;
        log.access_path = files_.file("access.log");
        log_ = Logger::open(log, clock_).value();
        std::vector<std::unique_ptr<auth::Verifier>> verifiers;
        if (setup.verifiers) verifiers = setup.verifiers(clock_);
        if (setup.access_tokens) {
            access_tokens_ =
                auth::AccessTokens::open(files_.file("tokens"), clock_, [](const Error&) {
                }).value();
            verifiers.push_back(access_tokens_->verifier());
        }
        if (setup.issuer) verifiers.push_back(open_issuer(*setup.issuer));
        if (!setup.users.empty()) verifiers.push_back(write_passwords(setup.users));
        authenticator_ = std::make_unique<auth::Authenticator>(
            std::move(verifiers), nullptr, auth::AuthenticatorOptions{}, clock_);
        auth::Policy policy =
            authenticator_->enabled() ? auth::Policy::any_user() : auth::Policy::open();
        if (setup.rules) policy = auth::Policy::compile(*setup.rules).value();
        policy_ = std::make_unique<auth::LivePolicy>(std::move(policy));
        if (setup.audit) {
            audit_ =
                auth::AuditLog::open({.path = files_.file("audit.log")}, clock_, [](const Error&) {
                }).value();
        }
        handler_ = make_api({.registry = registry_,
                             .authenticator = *authenticator_,
                             .policy = *policy_,
                             .disk = disk_,
                             .logins = login_pool_,
                             .log = *log_,
                             .clock = clock_,
                             .issuer = issuer_.get(),
                             .access_tokens = access_tokens_.get(),
                             .audit = audit_.get(),
                             .metrics = setup.metrics,
                             .ready = std::move(setup.ready),
                             .on_pull = std::move(setup.on_pull),
                             .on_change = std::move(setup.on_change)},
                            std::move(setup.options))
                       .value();
        http::ServerOptions options;
        options.fields = common_fields({{"X-Common", "here"}});
        server_ = std::make_unique<HttpTestServer>(*handler_, options);
    }

    http::Handler& handler() { return *handler_; }
    registry::Registry& registry() { return registry_; }
    std::vector<registry::Event> events() { return index_->events(0, 1000).value(); }
    auth::AccessTokens& access_tokens() { return *access_tokens_; }
    // Users and passwords from now on.
    void set_users(const std::map<std::string, std::string>& users) { write_users(users); }
    FakeClock& clock() { return clock_; }
    std::uint16_t port() const { return server_->port(); }

    // Ends when all exchanges are finished, logs included.
    void stop() { server_->stop(); }
    // What was recorded of the exchanges so far, as its own parser reads it.
    std::vector<auth::AuditRecord> audited() {
        audit_->flush();
        std::vector<auth::AuditRecord> all;
        EXPECT_TRUE(auth::each_audit_line(
            files_.file("audit.log"), [&all](std::string_view text, std::uint64_t) -> Result<void> {
                BERTH_TRY(auto line, auth::read_audit_line(text));
                if (line.event == auth::AuditEvent::access) all.push_back(std::move(line.record));
                return {};
            }));
        return all;
    }
    std::string access_log() {
        log_->flush();
        auto directory = io::open_directory(files_.path()).value();
        return io::read_file(*directory, "access.log", 1u << 20).value();
    }

  private:
    std::unique_ptr<auth::Verifier> open_issuer(const auth::IssuerOptions& options) {
        issuer_ = auth::TokenIssuer::open(options, clock_, [](const Error&) {}).value();
        auth::Revocations revocations;
        if (access_tokens_) revocations = access_tokens_->revocations();
        return auth::make_issued_tokens(*issuer_, std::move(revocations));
    }
    std::unique_ptr<auth::PasswordFile> write_passwords(
        const std::map<std::string, std::string>& users) {
        write_users(users);
        return auth::PasswordFile::open(files_.file("htpasswd"), clock_, [](const Error&) {})
            .value();
    }
    void write_users(const std::map<std::string, std::string>& users) {
        std::string text;
        for (const auto& [user, password] : users)
            text += user + ":" + auth::hash_password(password, 4).value() + "\n";
        auto directory = io::open_directory(files_.path()).value();
        EXPECT_TRUE(io::replace_file(*directory, "htpasswd", text));
    }

    FakeClock clock_;
    TemporaryDirectory files_;
    std::unique_ptr<io::Directory> directory_ = io::make_memory_directory();
    std::unique_ptr<store::BlobStore> blobs_ =
        store::make_file_blob_store(*directory_, clock_, {.reserve_bytes = 0, .boot_id = "test"});
    std::unique_ptr<store::Index> index_;
    registry::Registry registry_;
    Pool disk_{{.name = "disk", .threads = 4}};
    Pool login_pool_{{.name = "passwords", .threads = 2}};
    std::unique_ptr<Logger> log_;
    std::unique_ptr<auth::AccessTokens> access_tokens_;
    std::unique_ptr<auth::TokenIssuer> issuer_;
    std::unique_ptr<auth::Authenticator> authenticator_;
    std::unique_ptr<auth::LivePolicy> policy_;
    std::unique_ptr<auth::AuditLog> audit_;
    std::unique_ptr<http::Handler> handler_;
    std::unique_ptr<HttpTestServer> server_;
};

// A test with one server and one client. The first call of start() says how it is set up.
class ApiFixture : public testing::Test {
  protected:
    void start(ApiSetup setup) {
        client_.reset();
        server_ = std::make_unique<ApiServer>(std::move(setup));
    }
    ApiServer& server() {
        if (!server_) start({});
        return *server_;
    }
    // Whoever asks from now on.
    void log_in(const std::string& user, const std::string& password) {
        authorization_ = basic(user, password);
    }
    void log_out() { authorization_.clear(); }

    HttpAnswer ask(std::string_view method, std::string_view target, HttpFields fields = {},
                   std::string_view body = {}) {
        if (!client_) client_ = std::make_unique<HttpTestClient>(server().port());
        if (!authorization_.empty()) fields.emplace_back("Authorization", authorization_);
        HttpAnswer answer = client_->ask(method, target, fields, body);
        const bool ends = answer.field("Connection") == "close";
        if (ends) client_.reset();
        return answer;
    }

    // The path of a Location.
    static std::string path_of(const HttpAnswer& answer) {
        const std::string location = answer.field("Location");
        const std::size_t scheme = location.find("://");
        return scheme == std::string::npos ? location
                                           : location.substr(location.find('/', scheme + 3));
    }
    static std::string digest(std::string_view bytes) { return registry::sha256_of(bytes).text(); }
    static std::string digest512(std::string_view bytes) {
        return registry::sha512_of(bytes).text();
    }

    std::string begin(const std::string& repository) {
        const HttpAnswer answer = ask("POST", "/v2/" + repository + "/blobs/uploads/");
        EXPECT_EQ(answer.status, 202) << answer.body;
        return path_of(answer);
    }
    std::string push_blob(const std::string& repository, std::string_view bytes) {
        const HttpAnswer answer =
            ask("POST", "/v2/" + repository + "/blobs/uploads/?digest=" + digest(bytes), {}, bytes);
        EXPECT_EQ(answer.status, 201) << answer.body;
        return digest(bytes);
    }
    HttpAnswer put_manifest(const std::string& repository, const std::string& reference,
                            std::string_view json,
                            const std::string& type = registry::kOciManifest) {
        return ask("PUT", "/v2/" + repository + "/manifests/" + reference, {{"Content-Type", type}},
                   json);
    }
    // An image with its blobs; the manifest's text. Images with different layers differ.
    std::string push_image(const std::string& repository, const std::string& reference,
                           std::string_view layer = "layer") {
        push_blob(repository, "{}");
        push_blob(repository, layer);
        const std::string json = registry::image_json({registry::descriptor_of(layer)});
        const HttpAnswer answer = put_manifest(repository, reference, json);
        EXPECT_EQ(answer.status, 201) << answer.body;
        return json;
    }

    // Status and code of an error, as `404 BLOB_UNKNOWN`; the form of its body is checked.
    static std::string error_of(const HttpAnswer& answer) {
        EXPECT_EQ(answer.field("Content-Type"), "application/json");
        EXPECT_EQ(answer.field("Docker-Distribution-Api-Version"), "registry/2.0");
        EXPECT_NE(answer.field("X-Request-Id"), "");
        EXPECT_THAT(answer.body, testing::HasSubstr(answer.field("X-Request-Id")));
        EXPECT_THAT(answer.body, testing::StartsWith(R"({"errors":[{"code":")"));
        const std::string code = answer.body.substr(20, answer.body.find('"', 20) - 20);
        return std::to_string(answer.status) + " " + code;
    }

    std::unique_ptr<ApiServer> server_;
    std::unique_ptr<HttpTestClient> client_;
    std::string authorization_;
};

}  // namespace berth::api
