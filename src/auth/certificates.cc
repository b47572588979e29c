#include "auth/certificates.h"

#include <string_view>
#include <utility>
#include <vector>

#include "base/control.h"

namespace berth::auth {

namespace {

constexpr std::string_view kRobot = "robot:";
constexpr std::string_view kScheme = "://";

bool is_user_name(std::string_view name) {
    return !name.empty() && !name.contains(':') && !has_control(name);
}

// Its one colon is that of ://, after a scheme.
bool is_uri_name(std::string_view name) {
    const auto colon = name.find(':');
    return colon != name.npos && colon > 0 && name.substr(colon).starts_with(kScheme) &&
           name.size() > colon + kScheme.size() && name.find(':', colon + 1) == name.npos &&
           !has_control(name);
}

class Certificates final : public Verifier {
  public:
    Certificates(CertificateOptions options, const Clock& clock)
        : options_(std::move(options)), clock_(clock) {}

    std::uint64_t version() override { return 0; }

    Result<std::optional<Login>> verify(const Credentials& credentials) override {
        if (credentials.scheme != Credentials::Scheme::certificate) return std::nullopt;
        if (credentials.certificate == nullptr) return std::nullopt;
        const auto& shown = *credentials.certificate;
        auto who = identify(shown);
        if (!who) return std::nullopt;
        if (clock_.now() >= shown.expires) {
            return fail(Errc::unauthenticated, "the client certificate has expired");
        }
        return Login{.identity = std::move(*who), .expires = shown.expires};
    }

  private:
    std::optional<Identity> identify(const net::PeerCertificate& shown) const {
        if (const auto* user = find_user(shown)) return named(*user);
        const auto name = own_name(shown);
        const bool is_uri = options_.name == CertificateOptions::Name::uri;
        if (is_uri ? !is_uri_name(name) : !is_user_name(name)) return std::nullopt;
        return Identity{.name = std::string(name), .groups = {}, .proof = "certificate"};
    }

    // As the configuration says it.
    static std::optional<Identity> named(std::string_view user) {
        Identity who;
        if (user.starts_with(kRobot)) {
            who.kind = Identity::Kind::robot;
            user.remove_prefix(kRobot.size());
        }
        if (!is_user_name(user) && !is_uri_name(user)) return std::nullopt;
        who.name = user;
        who.proof = "certificate";
        return who;
    }

    // Null: none of the certificate's names is in the table.
    const std::string* find_user(const net::PeerCertificate& shown) const {
        for (const auto* names : {&shown.uris, &shown.emails, &shown.dns_names}) {
            for (const auto& name : *names) {
                const auto at = options_.users.find(name);
                if (at != options_.users.end()) return &at->second;
            }
        }
        if (shown.common_name.empty()) return nullptr;
        const auto at = options_.users.find(shown.common_name);
        return at != options_.users.end() ? &at->second : nullptr;
    }

    std::string_view own_name(const net::PeerCertificate& shown) const {
        const auto first = [](const std::vector<std::string>& names) -> std::string_view {
            return names.empty() ? std::string_view() : names.front();
        };
        switch (options_.name) {
            case CertificateOptions::Name::none:
                return {};
            case CertificateOptions::Name::common_name:
                return shown.common_name;
            case CertificateOptions::Name::dns:
                return first(shown.dns_names);
            case CertificateOptions::Name::email:
                return first(shown.emails);
            case CertificateOptions::Name::uri:
                return first(shown.uris);
        }
        return {};
    }

    const CertificateOptions options_;
    const Clock& clock_;
};

}  // namespace

std::unique_ptr<Verifier> make_certificates(CertificateOptions options, const Clock& clock) {
    return std::make_unique<Certificates>(std::move(options), clock);
}

}  // namespace berth::auth
