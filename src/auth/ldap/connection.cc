#include "auth/ldap/connection.h"

#include <ldap.h>

#include <algorithm>
#include <utility>

#include "auth/ldap/escape.h"
#include "auth/ldap/socket_deadline.h"
#include "base/release.h"
#include "base/text.h"

namespace berth::auth {
namespace {

constexpr const char* kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";
constexpr int kKeepaliveIdleSeconds = 30;

::timeval timeval_of(std::chrono::milliseconds time) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
    const std::chrono::microseconds rest = time - seconds;
    return {static_cast<::time_t>(seconds.count()), static_cast<::suseconds_t>(rest.count())};
}

// The server was reached and says no: to the name, to the password, or to this account.
bool refuses_credentials(int code) {
    switch (code) {
        case LDAP_INVALID_CREDENTIALS:
        case LDAP_NO_SUCH_OBJECT:
        case LDAP_INVALID_DN_SYNTAX:
        case LDAP_INAPPROPRIATE_AUTH:    // the entry has no password
        case LDAP_CONSTRAINT_VIOLATION:  // locked after too many failures
        case LDAP_UNWILLING_TO_PERFORM:  // locked by an administrator
        case LDAP_INSUFFICIENT_ACCESS:
            return true;
        default:
            return false;
    }
}

// The server does not do it, now or later.
bool is_final(int code) {
    switch (code) {
        case LDAP_NO_SUCH_OBJECT:
        case LDAP_INSUFFICIENT_ACCESS:
        case LDAP_INVALID_DN_SYNTAX:
        case LDAP_INAPPROPRIATE_MATCHING:
        case LDAP_UNDEFINED_TYPE:
        case LDAP_UNWILLING_TO_PERFORM:
        case LDAP_SIZELIMIT_EXCEEDED:
        case LDAP_ADMINLIMIT_EXCEEDED:
        case LDAP_REFERRAL:
        case LDAP_OPERATIONS_ERROR:  // Active Directory: bind first
        case LDAP_STRONG_AUTH_REQUIRED:
        case LDAP_CONFIDENTIALITY_REQUIRED:
        case LDAP_FILTER_ERROR:
            return true;
        default:
            return false;
    }
}

struct FreeBer {
    void operator()(BerElement* ber) const { ber_free(ber, 0); }
};

LdapEntry read_entry(LDAP* handle, LDAPMessage* message) {
    LdapEntry entry;
    if (const std::unique_ptr<char, Release<ldap_memfree>> dn(ldap_get_dn(handle, message)); dn) {
        entry.dn = dn.get();
    }
    BerElement* ber = nullptr;
    std::unique_ptr<char, Release<ldap_memfree>> name(ldap_first_attribute(handle, message, &ber));
    const std::unique_ptr<BerElement, FreeBer> ber_owner(ber);
    for (; name; name.reset(ldap_next_attribute(handle, message, ber))) {
        LdapEntry::Attribute attribute{name.get(), {}};
        const std::unique_ptr<berval*, Release<ldap_value_free_len>> values(
            ldap_get_values_len(handle, message, name.get()));
        for (berval** value = values.get(); value && *value; ++value) {
            attribute.values.emplace_back((*value)->bv_val, (*value)->bv_len);
        }
        entry.attributes.push_back(std::move(attribute));
    }
    return entry;
}

int scope_of(LdapSearch::Scope scope) {
    switch (scope) {
        case LdapSearch::Scope::base:
            return LDAP_SCOPE_BASE;
        case LdapSearch::Scope::one:
            return LDAP_SCOPE_ONELEVEL;
        case LdapSearch::Scope::subtree:
            break;
    }
    return LDAP_SCOPE_SUBTREE;
}

}  // namespace

const std::vector<std::string>& LdapEntry::values(std::string_view attribute) const {
    static const std::vector<std::string> none;
    const auto found = std::ranges::find_if(attributes, [attribute](const Attribute& each) {
        return equal_ignoring_case(each.name, attribute);
    });
    return found == attributes.end() ? none : found->values;
}

std::string LdapEntry::value(std::string_view attribute) const {
    const auto& all = values(attribute);
    const auto rdn = first_rdn(dn);
    if (rdn && equal_ignoring_case(rdn->attribute, attribute) &&
        (all.empty() || std::ranges::find(all, rdn->value) != all.end())) {
        return rdn->value;
    }
    return all.empty() ? std::string() : std::ranges::min(all);
}

Result<std::unique_ptr<Connection>> Connection::open(const std::string& server,
                                                     const ConnectionOptions& options) {
    LDAP* handle = nullptr;
    if (const int code = ldap_initialize(&handle, server.c_str()); code != LDAP_SUCCESS) {
        return fail(Errc::unavailable, server + ": " + ldap_err2string(code));
    }
    auto connection = std::unique_ptr<Connection>(new Connection(server, options.timeout, handle));
    BERTH_CHECK(connection->set_up(options));
    return connection;
}

Connection::Connection(std::string server, std::chrono::milliseconds timeout, ldap* handle)
    : server_(std::move(server)),
      timeout_(timeout),
      deadline_(std::make_unique<SocketDeadline>()),
      handle_(handle) {}

// Says good-bye, which must not take long either.
Connection::~Connection() {
    ldap_unbind_ext(handle_, nullptr, nullptr);
}

// Everything is set here, so that no ldap.conf or LDAPRC of the machine loosens it.
Result<void> Connection::set_up(const ConnectionOptions& options) {
    const int version = LDAP_VERSION3;
    const int deref = LDAP_DEREF_NEVER;
    const ::timeval connect = timeval_of(options.connect_timeout);
    const ::timeval operation = timeval_of(options.timeout);
    ldap_set_option(handle_, LDAP_OPT_PROTOCOL_VERSION, &version);
    ldap_set_option(handle_, LDAP_OPT_DEREF, &deref);
    ldap_set_option(handle_, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
    ldap_set_option(handle_, LDAP_OPT_RESTART, LDAP_OPT_ON);
    ldap_set_option(handle_, LDAP_OPT_NETWORK_TIMEOUT, &connect);
    ldap_set_option(handle_, LDAP_OPT_TIMEOUT, &operation);
    ldap_set_option(handle_, LDAP_OPT_X_KEEPALIVE_IDLE, &kKeepaliveIdleSeconds);
    BERTH_CHECK(set_up_tls(options));
    if (!deadline_->attach(handle_)) return failed(LDAP_LOCAL_ERROR, "cannot be set up");
    deadline_->set(options.connect_timeout);
    if (const int code = ldap_connect(handle_); code != LDAP_SUCCESS) {
        return failed(code, "cannot connect");
    }
    if (!options.start_tls) return {};
    deadline_->set(options.timeout);
    if (const int code = ldap_start_tls_s(handle_, nullptr, nullptr); code != LDAP_SUCCESS) {
        return failed(code, "StartTLS failed");
    }
    return {};
}

// A context of its own, so that a CA file that was replaced counts from the next connection on.
Result<void> Connection::set_up_tls(const ConnectionOptions& options) {
    if (!options.start_tls && !server_.starts_with("ldaps:")) return {};
    const int require = options.verify ? LDAP_OPT_X_TLS_DEMAND : LDAP_OPT_X_TLS_NEVER;
    const int minimum = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
    const int is_server = 0;
    const char* ca = options.ca.empty() ? kSystemAuthorities : options.ca.c_str();
    int code = ldap_set_option(handle_, LDAP_OPT_X_TLS_REQUIRE_CERT, &require);
    if (code == 0) code = ldap_set_option(handle_, LDAP_OPT_X_TLS_PROTOCOL_MIN, &minimum);
    if (code == 0 && options.verify) {
        code = ldap_set_option(handle_, LDAP_OPT_X_TLS_CACERTDIR, nullptr);
        if (code == 0) code = ldap_set_option(handle_, LDAP_OPT_X_TLS_CACERTFILE, ca);
    }
    if (code == 0) code = ldap_set_option(handle_, LDAP_OPT_X_TLS_NEWCTX, &is_server);
    if (code == 0) return {};
    return fail(Errc::unavailable,
                server_ + ": TLS cannot be set up with the authorities in " + std::string(ca));
}

std::unexpected<Error> Connection::failed(int code, std::string_view what) {
    if (code == LDAP_SERVER_DOWN && !deadline_->passed()) lost_ = true;
    std::string detail = server_ + ": " + std::string(what) + ": " + ldap_err2string(code);
    char* diagnostic = nullptr;
    ldap_get_option(handle_, LDAP_OPT_DIAGNOSTIC_MESSAGE, static_cast<void*>(&diagnostic));
    const std::unique_ptr<char, Release<ldap_memfree>> owner(diagnostic);
    if (diagnostic && *diagnostic) detail += " (" + std::string(diagnostic) + ")";
    return fail(is_final(code) ? Errc::denied : Errc::unavailable, std::move(detail));
}

Result<bool> Connection::bind(const std::string& dn, std::string_view password) {
    if (!dn.empty() && password.empty()) return false;
    std::string copy(password);
    berval secret{copy.size(), copy.data()};
    deadline_->set(timeout_);
    const int code =
        ldap_sasl_bind_s(handle_, dn.c_str(), LDAP_SASL_SIMPLE, &secret, nullptr, nullptr, nullptr);
    explicit_bzero(copy.data(), copy.size());
    if (code == LDAP_SUCCESS) return true;
    if (refuses_credentials(code)) return false;
    return failed(code, "cannot bind");
}

Result<std::vector<LdapEntry>> Connection::search(const LdapSearch& search) {
    std::vector<std::string> names = search.attributes;
    std::vector<char*> attributes;
    for (std::string& name : names)
        attributes.push_back(name.data());
    attributes.push_back(nullptr);
    ::timeval timeout = timeval_of(timeout_);
    const int limit =
        search.entries_max == 0 ? LDAP_NO_LIMIT : static_cast<int>(search.entries_max) + 1;
    deadline_->set(timeout_);
    LDAPMessage* answer = nullptr;
    const int code = ldap_search_ext_s(handle_, search.base.c_str(), scope_of(search.scope),
                                       search.filter.c_str(), attributes.data(), 0, nullptr,
                                       nullptr, &timeout, limit, &answer);
    const std::unique_ptr<LDAPMessage, Release<ldap_msgfree>> owner(answer);
    if (code == LDAP_NO_SUCH_OBJECT && search.scope == LdapSearch::Scope::base) {
        return std::vector<LdapEntry>();
    }
    if (code == LDAP_SIZELIMIT_EXCEEDED) {
        return fail(Errc::too_large,
                    server_ + ": more entries below '" + search.base + "' than it may show");
    }
    if (code != LDAP_SUCCESS) return failed(code, "cannot search below '" + search.base + "'");
    std::vector<LdapEntry> entries;
    for (auto* message = ldap_first_entry(handle_, answer); message;
         message = ldap_next_entry(handle_, message)) {
        entries.push_back(read_entry(handle_, message));
    }
    if (search.entries_max != 0 && entries.size() > search.entries_max) {
        return fail(Errc::too_large, server_ + ": several entries below '" + search.base + "'");
    }
    return entries;
}

}  // namespace berth::auth
