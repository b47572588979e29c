#include "auth/ldap/servers.h"

#include <chrono>
#include <utility>

namespace berth::auth {
namespace {

using namespace std::chrono_literals;

// A server that failed is asked again after this, while another one serves …
constexpr auto kDownFor = 15s;
// … and after this while none does.
constexpr auto kProbeInterval = 1s;
// Refusals of the service account may lock it. A changed password is tried at once.
constexpr auto kRefusedFor = 60s;
// Firewalls forget connections without a word: older ones are not used again.
constexpr auto kIdleMax = 60s;

bool is_unavailable(const Result<void>& result) {
    return !result && result.error().code == Errc::unavailable;
}

}  // namespace

Result<void> LdapSession::bind_service() {
    auto bound = connection_->bind(account_.dn, account_.password);
    broken_ = !bound;
    bound_ = bound && *bound ? Bound::service : Bound::nobody;
    if (!bound) return std::unexpected(std::move(bound.error()));
    refused_ = !*bound;
    if (refused_) {
        return fail(Errc::unavailable,
                    connection_->server() + ": the service account " + account_.dn + " is refused");
    }
    return {};
}

Result<std::vector<LdapEntry>> LdapSession::search(const LdapSearch& search) {
    if (!account_.dn.empty() && bound_ != Bound::service) BERTH_CHECK(bind_service());
    auto entries = connection_->search(search);
    if (!entries && entries.error().code == Errc::unavailable) broken_ = true;
    return entries;
}

Result<bool> LdapSession::prove(const std::string& dn, std::string_view password) {
    if (dn.empty() || password.empty()) return false;  // servers take these for anonymous
    auto proven = connection_->bind(dn, password);
    broken_ = !proven;
    if (!proven) return proven;
    bound_ = *proven ? Bound::user : Bound::nobody;
    if (*proven && !account_.dn.empty()) BERTH_CHECK(bind_service());
    return proven;
}

struct Servers::Server {
    struct Kept {
        std::unique_ptr<Connection> connection;
        LdapSession::Bound bound = LdapSession::Bound::nobody;
        std::uint64_t account_version = 0;
        SteadyTime since;
    };

    std::string url;
    std::vector<Kept> kept;

    bool down = false;
    bool probing = false;  // somebody looks whether it is back
    SteadyTime tried_at;
    // It refused the service account in this version; that is why it is down.
    std::optional<std::uint64_t> refused_version;
};

// One of the connections that may be open at once.
struct Servers::Slot {
    explicit Slot(Servers* owner) : servers(owner) {}
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    ~Slot() {
        {
            std::lock_guard lock(servers->mutex_);
            --servers->slots_taken_;
        }
        servers->slot_free_.notify_one();
    }
    Servers* servers;
};

Servers::Servers(Options options, const Clock& clock, Report report)
    : options_(std::move(options)), clock_(clock), report_(std::move(report)) {
    for (const std::string& url : options_.urls) {
        servers_.push_back(std::make_unique<Server>());
        servers_.back()->url = url;
    }
}

Servers::~Servers() = default;

Result<void> Servers::run(const ServiceAccount& account, const Work& work) {
    {
        std::unique_lock lock(mutex_);
        const bool free = slot_free_.wait_for(lock, options_.connection.timeout, [this] {
            return slots_taken_ < options_.connections;
        });
        if (!free) return fail(Errc::unavailable, "all connections to the directory are busy");
        ++slots_taken_;
    }
    const Slot slot(this);
    for (const Pass pass : {Pass::first, Pass::last_resort}) {
        for (const auto& server : servers_) {
            if (!begin(*server, pass, account)) continue;
            auto result = try_server(*server, account, work);
            if (!is_unavailable(result)) return result;
        }
    }
    return fail(Errc::unavailable, "no LDAP server answers");
}

Result<void> Servers::try_server(Server& server, const ServiceAccount& account, const Work& work) {
    if (auto kept = take_kept(server, account)) {
        auto result = attempt(server, *kept, work);
        // One that the server closed meanwhile says nothing about the server.
        if (!is_unavailable(result)) return result;
        if (!kept->lost()) {
            failed(server, result.error(), kept->refused_, account);
            return result;
        }
    }
    auto connection = Connection::open(server.url, options_.connection);
    if (!connection) {
        failed(server, connection.error(), false, account);
        return std::unexpected(std::move(connection.error()));
    }
    LdapSession session(std::move(*connection), LdapSession::Bound::nobody, account);
    auto result = attempt(server, session, work);
    if (is_unavailable(result)) failed(server, result.error(), session.refused_, account);
    return result;
}

Result<void> Servers::attempt(Server& server, LdapSession& session, const Work& work) {
    auto result = work(session);
    if (is_unavailable(result)) return result;
    succeeded(server);
    if (session.broken_ || session.bound_ == LdapSession::Bound::user) return result;
    std::lock_guard lock(mutex_);
    server.kept.push_back({std::move(session.connection_), session.bound_, session.account_.version,
                           clock_.steady_now()});
    return result;
}

// Connections that were idle for too long, or are bound with a password that has changed, are
// closed.
std::optional<LdapSession> Servers::take_kept(Server& server, const ServiceAccount& account) {
    std::vector<Server::Kept> closing;  // after the lock: it writes to the network
    std::lock_guard lock(mutex_);
    const SteadyTime now = clock_.steady_now();
    while (!server.kept.empty()) {
        Server::Kept kept = std::move(server.kept.back());
        server.kept.pop_back();
        if (now - kept.since < kIdleMax && kept.account_version == account.version) {
            return LdapSession(std::move(kept.connection), kept.bound, account);
        }
        closing.push_back(std::move(kept));
    }
    return std::nullopt;
}

// May this server be asked? Of one that is down, by one caller only.
bool Servers::begin(Server& server, Pass pass, const ServiceAccount& account) {
    std::lock_guard lock(mutex_);
    if (!server.down) return true;
    if (server.probing) return false;
    SteadyTime::duration pause =
        pass == Pass::first ? SteadyTime::duration(kDownFor) : SteadyTime::duration(kProbeInterval);
    if (server.refused_version) {
        pause = *server.refused_version == account.version ? kRefusedFor : 0s;
    }
    if (clock_.steady_now() - server.tried_at < pause) return false;
    server.probing = true;
    return true;
}

void Servers::succeeded(Server& server) {
    {
        std::lock_guard lock(mutex_);
        server.probing = false;
        server.refused_version.reset();
        if (!std::exchange(server.down, false)) return;
    }
    report_({Errc::unavailable, "LDAP server " + server.url + " answers again"});
}

void Servers::failed(Server& server, const Error& error, bool refused,
                     const ServiceAccount& account) {
    bool news = false;
    std::vector<Server::Kept> closing;
    {
        std::lock_guard lock(mutex_);
        news = !server.down || server.refused_version.has_value() != refused;
        server.down = true;
        server.probing = false;
        server.refused_version = refused ? std::optional(account.version) : std::nullopt;
        server.tried_at = clock_.steady_now();
        closing.swap(server.kept);
    }
    if (news) report_({Errc::unavailable, "LDAP server " + error.detail});
}

}  // namespace berth::auth
