#include "auth/ldap/directory.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "auth/ldap/accounts.h"
#include "auth/ldap/escape.h"
#include "auth/ldap/groups.h"
#include "auth/ldap/reports.h"
#include "auth/ldap/servers.h"
#include "base/random.h"
#include "base/utf8.h"
#include "base/watched_file.h"

namespace berth::auth {
namespace {

constexpr std::size_t kNameBytesMax = 256;
constexpr std::string_view kUserMark = "{user}";
// What changes with the password, the better one first; modifyTimestamp changes with anything.
constexpr std::string_view kMarks[] = {"pwdChangedTime", "pwdLastSet", "krbLastPwdChange",
                                       "modifyTimestamp"};

using Password = WatchedFile<std::string>;

// Can a directory know this name? Texts there are UTF-8.
bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= kNameBytesMax && !name.contains('\0') && is_utf8(name);
}

std::string fill(std::string_view pattern, std::string_view value) {
    std::string text;
    for (std::size_t at = 0; (at = pattern.find(kUserMark)) != pattern.npos;) {
        text += pattern.substr(0, at);
        text += value;
        pattern.remove_prefix(at + kUserMark.size());
    }
    return text += pattern;
}

Result<std::string> read_password(std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (text.empty()) return fail(Errc::invalid, "no password is in it");
    return std::string(text);
}

class Directory final : public Verifier {
  public:
    Directory(LdapOptions options, std::unique_ptr<Password> password, const Clock& clock,
              std::function<void(const Error&)> report)
        : options_(std::move(options)),
          clock_(clock),
          password_(std::move(password)),
          reports_(clock, std::move(report)),
          servers_(servers_options(options_), clock,
                   [this](const Error& error) { reports_.send(error); }),
          accounts_(options_.remember, options_.grace) {
        attributes_ = group_attributes(options_.groups);
        attributes_.push_back(options_.url.attribute);
        attributes_.insert(attributes_.end(), std::begin(kMarks), std::end(kMarks));
    }

    // What it said holds until it expires: directories do not say what changes in them.
    std::uint64_t version() override { return 0; }

    Result<std::optional<Login>> verify(const Credentials& credentials) override {
        if (credentials.scheme != Credentials::Scheme::basic || !is_name(credentials.user) ||
            credentials.secret.empty()) {
            return std::nullopt;
        }
        std::optional<RememberedAccount> found;
        BERTH_CHECK(ask([this, &credentials, &found](LdapSession& session) {
            found.reset();
            return options_.user_dn.empty() ? search_and_prove(session, credentials, found)
                                            : prove_and_read(session, credentials, found);
        }));
        if (!found) return std::nullopt;
        Login login{std::move(found->account.identity)};
        login.expires = found->read_at + options_.remember;
        login.grace = options_.grace;
        return login;
    }

    bool keeps_users() const override { return true; }

    Result<std::optional<Account>> find(std::string_view user) override {
        if (!is_name(user)) return std::nullopt;
        const Time now = clock_.now();
        if (auto known = accounts_.fresh(user, now)) return std::move(known->account);
        std::optional<RememberedAccount> found;
        auto done = ask([this, user, &found](LdapSession& session) -> Result<void> {
            found.reset();
            BERTH_TRY(const auto entry, find_entry(session, user));
            if (entry) return read_account(session, *entry, found);
            return {};
        });
        if (!done) {
            if (auto known = accounts_.within_grace(user, now)) return std::move(known->account);
            return std::unexpected(std::move(done.error()));
        }
        if (!found) {
            accounts_.forget(user);
            return std::nullopt;
        }
        return std::move(found->account);
    }

  private:
    static Servers::Options servers_options(const LdapOptions& options) {
        return {options.url.servers,
                {options.start_tls, options.ca, options.verify, options.connect_timeout,
                 options.timeout},
                options.connections};
    }

    ServiceAccount service_account() {
        if (!password_) return {options_.bind_dn, options_.bind_password};
        const auto reading = password_->current();
        return {options_.bind_dn, *reading.value, reading.version};
    }

    // Whatever went wrong, the caller learns that it cannot be known now, and the log learns why.
    Result<void> ask(const Servers::Work& work) {
        auto done = servers_.run(service_account(), work);
        if (done || done.error().code == Errc::unavailable) return done;
        reports_.send_once({Errc::unavailable, std::move(done.error().detail)});
        return fail(Errc::unavailable, "the directory refuses to tell");
    }

    // The one entry that answers to the name.
    Result<std::optional<LdapEntry>> find_entry(LdapSession& session, std::string_view user) {
        LdapSearch question;
        question.attributes = attributes_;
        question.entries_max = 1;
        question.filter = options_.url.filter;
        if (options_.user_dn.empty()) {
            question.base = options_.url.base;
            question.scope = options_.url.scope == LdapUrl::Scope::one ? LdapSearch::Scope::one
                                                                       : LdapSearch::Scope::subtree;
            question.filter = "(&" + question.filter + "(" + options_.url.attribute + "=" +
                              escape_filter_value(user) + "))";
        } else {
            question.base = fill(options_.user_dn, escape_dn_value(user));
            question.scope = LdapSearch::Scope::base;
        }
        auto entries = session.search(question);
        if (!entries && entries.error().code == Errc::too_large) {
            reports_.send_once({Errc::conflict, entries.error().detail + " answer to the name '" +
                                                    std::string(user) +
                                                    "': nobody can log in by it"});
            return std::nullopt;
        }
        if (!entries) return std::unexpected(std::move(entries.error()));
        if (entries->empty()) return std::nullopt;
        return std::move(entries->front());
    }

    Result<void> search_and_prove(LdapSession& session, const Credentials& credentials,
                                  std::optional<RememberedAccount>& found) {
        BERTH_TRY(const auto entry, find_entry(session, credentials.user));
        if (!entry) {
            // A bind that fails, so that unknown names take as many questions as known ones. It
            // names nobody: guesses must not lock an account. How long the directory hashes is
            // its own affair.
            const std::string nobody = options_.url.attribute + "=" + random_uuid() +
                                       (options_.url.base.empty() ? "" : ",") + options_.url.base;
            auto refused = session.prove(nobody, random_uuid());
            if (!refused) return std::unexpected(std::move(refused.error()));
            return {};
        }
        BERTH_TRY(const bool proven, session.prove(entry->dn, credentials.secret));
        return proven ? read_account(session, *entry, found) : Result<void>();
    }

    Result<void> prove_and_read(LdapSession& session, const Credentials& credentials,
                                std::optional<RememberedAccount>& found) {
        const std::string dn = fill(options_.user_dn, escape_dn_value(credentials.user));
        BERTH_TRY(const bool proven, session.prove(dn, credentials.secret));
        if (!proven) return {};
        BERTH_TRY(const auto entry, find_entry(session, credentials.user));
        return entry ? read_account(session, *entry, found) : Result<void>();
    }

    // Groups that were read lately are not read again.
    Result<void> read_account(LdapSession& session, const LdapEntry& entry,
                              std::optional<RememberedAccount>& found) {
        std::string name = entry.value(options_.url.attribute);
        if (!is_name(name)) {
            return fail(Errc::denied, "the directory does not show " + options_.url.attribute +
                                          " of " + entry.dn + ", which is the user's name");
        }
        const Time now = clock_.now();
        RememberedAccount account{{}, entry.dn, now};
        if (auto known = accounts_.fresh(name, now); known && known->dn == entry.dn) {
            account = std::move(*known);
        } else {
            BERTH_TRY(account.account.identity.groups,
                      groups_of(entry, name, options_.groups, [&session](const LdapSearch& search) {
                          return session.search(search);
                      }));
        }
        account.account.identity.name = std::move(name);
        account.account.identity.proof = "ldap";
        account.account.mark = mark_of(entry);
        accounts_.remember(account, now);
        found = std::move(account);
        return {};
    }

    static std::string mark_of(const LdapEntry& entry) {
        for (const std::string_view attribute : kMarks) {
            const auto& values = entry.values(attribute);
            if (!values.empty()) return values.front();
        }
        return {};
    }

    const LdapOptions options_;
    const Clock& clock_;
    const std::unique_ptr<Password> password_;
    std::vector<std::string> attributes_;
    Reports reports_;
    Servers servers_;
    Accounts accounts_;
};

Result<void> check_groups(const LdapOptions::Groups& groups) {
    if (!groups.own_attribute.empty() && !is_attribute(groups.own_attribute)) {
        return fail(Errc::invalid, "'" + groups.own_attribute + "' is no attribute");
    }
    if (groups.base.empty()) return {};
    if (!first_rdn(groups.base)) {
        return fail(Errc::invalid, "'" + groups.base + "' is no distinguished name");
    }
    if (!is_filter(groups.filter)) {
        return fail(Errc::invalid, "'" + groups.filter + "' is no filter");
    }
    if (!is_attribute(groups.name_attribute)) {
        return fail(Errc::invalid, "'" + groups.name_attribute + "' is no attribute");
    }
    if (groups.member_attributes.empty()) {
        return fail(Errc::invalid, "a search for groups needs the attributes of members");
    }
    for (const std::string& attribute : groups.member_attributes) {
        if (!is_match(attribute)) return fail(Errc::invalid, "'" + attribute + "' is no attribute");
    }
    return {};
}

Result<void> check(const LdapOptions& options) {
    if (options.url.servers.empty()) return fail(Errc::invalid, "no server");
    if (options.start_tls && options.url.servers.front().starts_with("ldaps:")) {
        return fail(Errc::invalid, "ldaps is TLS from the start: no StartTLS");
    }
    if (options.connect_timeout.count() <= 0 || options.timeout.count() <= 0) {
        return fail(Errc::invalid, "a timeout must be more than 0");
    }
    if (options.connections == 0) return fail(Errc::invalid, "connections must be more than 0");
    const bool password = !options.bind_password.empty() || !options.bind_password_file.empty();
    if (options.bind_dn.empty() == password) {
        return fail(Errc::invalid, "the service account needs both a name and a password");
    }
    if (!options.bind_password.empty() && !options.bind_password_file.empty()) {
        return fail(Errc::invalid,
                    "the service account's password, or the file it is in, not both");
    }
    if (!options.user_dn.empty() &&
        (!options.user_dn.contains(kUserMark) || !first_rdn(fill(options.user_dn, "x")))) {
        return fail(Errc::invalid,
                    "'" + options.user_dn + "' is no distinguished name with {user} in it");
    }
    return check_groups(options.groups);
}

}  // namespace

Result<std::unique_ptr<Verifier>> make_directory(LdapOptions options, const Clock& clock,
                                                 std::function<void(const Error&)> report) {
    BERTH_CHECK(check(options));
    if (!options.ca.empty()) BERTH_CHECK(read_text_file(options.ca));
    std::unique_ptr<Password> password;
    if (!options.bind_password_file.empty()) {
        BERTH_TRY(password,
                  Password::open(options.bind_password_file, clock, read_password, report));
    }
    return std::make_unique<Directory>(std::move(options), std::move(password), clock,
                                       std::move(report));
}

}  // namespace berth::auth
