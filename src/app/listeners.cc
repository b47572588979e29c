#include "app/listeners.h"

namespace berth::app {

Result<TlsSourcePtr> open_tls(const std::optional<TlsConfig>& tls, const Clock& clock,
                              Logger& log) {
    if (!tls) return TlsSourcePtr();
    net::TlsOptions options;
    options.certificate = tls->certificate;
    options.chain = tls->chain;
    options.key = tls->key;
    options.minimum = tls->minimum;
    options.ciphersuites = tls->ciphersuites;
    options.client_cas = tls->client_cas;
    options.client_auth = tls->client_auth;
    const auto report = [&log](LogLevel level, const std::string& text) { log.write(level, text); };
    BERTH_TRY(auto source, net::TlsSource::open(std::move(options), clock, report));
    source->watch();
    return source;
}

Result<Listeners> open_listeners(const HttpConfig& http, const TlsSourcePtr& tls) {
    const auto& configured = http.listeners;
    Listeners listeners;
    for (auto& socket : net::inherited_sockets()) {
        const auto place = listeners.size();
        const bool secure = place < configured.size() ? configured[place].tls : tls != nullptr;
        BERTH_TRY(auto listener, net::Listener::adopt(std::move(socket), secure ? tls : nullptr));
        listeners.push_back(std::move(listener));
    }
    if (!listeners.empty()) return listeners;
    for (const auto& [network, address, secure] : configured) {
        BERTH_TRY(auto listener, net::Listener::open({network, address, secure ? tls : nullptr}));
        listeners.push_back(std::move(listener));
    }
    return listeners;
}

std::vector<std::string> addresses_of(const http::Server& server) {
    std::vector<std::string> addresses;
    for (const auto& listener : server.listeners()) {
        const auto& address = listener->address();
        const bool is_path = address.starts_with("unix:");
        const std::string scheme = listener->tls() ? "https://" : "http://";
        addresses.push_back(is_path ? address : scheme + address);
    }
    return addresses;
}

}  // namespace berth::app
