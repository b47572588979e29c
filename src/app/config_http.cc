// The section `http`.

#include <sys/un.h>

#include <algorithm>
#include <array>

#include "app/config_network.h"
#include "app/config_read.h"
#include "base/text.h"

namespace berth::app {

namespace {

// Literals of guides and example files: whoever can read can forge with them.
constexpr std::array<std::string_view, 10> kKnownSecrets{
    "asecretforlocaldevelopment",
    "asecret",
    "changeme",
    "change-me",
    "mysecret",
    "placeholder",
    "replace-me",
    "replaceme",
    "secret",
    "supersecret",
};

// A configured value of these would break the framing of answers.
constexpr std::array<std::string_view, 8> kOwnHeaders{
    "connection", "content-length", "content-type",      "date",
    "location",   "range",          "transfer-encoding", "www-authenticate",
};

constexpr std::uint64_t kHeaderBytesLeast = 4 << 10;
constexpr std::uint64_t kHeaderBytesMost = 16 << 20;
constexpr std::size_t kConnectionsMost = 1'000'000;
constexpr std::size_t kThreadsMost = 1024;

void check_address(const ConfigValue& value, const ListenerConfig& listener) {
    if (listener.network == "tcp") {
        check_tcp_address(value, listener.address);
    } else if (listener.address.size() >= sizeof(sockaddr_un::sun_path)) {
        value.wrong("a socket's path has at most " +
                    std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes");
    }
}

std::string read_network(const ConfigValue& value) {
    std::string network = "tcp";
    value.read_word(network, {"tcp", "unix"});
    return network;
}

void read_listeners(const ConfigValue& http, HttpConfig& config) {
    const bool secure = config.tls.has_value();
    const auto network = read_network(http.at("net"));
    for (const auto& item : http.at("addr").items()) {
        auto& listener = config.listeners.emplace_back(network, "", secure);
        item.read(listener.address);
        check_address(item, listener);
    }
    for (const auto& item : http.at("listeners").items()) {
        auto& listener = config.listeners.emplace_back(read_network(item.at("net")), "", secure);
        item.at("tls").read(listener.tls);
        if (listener.tls && !secure) {
            item.at("tls").wrong("needs http.tls with certificate and key");
        }
        item.at("addr").read(listener.address);
        if (listener.address.empty()) {
            item.wrong("addr is missing");
        } else {
            check_address(item.at("addr"), listener);
        }
    }
    if (config.listeners.empty()) {
        if (network == "unix") http.at("net").wrong("unix needs the socket's path in http.addr");
        http.at("addr").read(config.listeners.emplace_back("tcp", ":5000", secure).address);
    }
    if (secure && std::ranges::none_of(config.listeners, &ListenerConfig::tls)) {
        http.at("tls").warn("no listener uses it");
    }
}

void read_tls(const ConfigValue& tls, NamedFiles files, HttpConfig& config) {
    if (!tls.named()) return;
    TlsConfig to;
    read_file_path(tls.at("certificate"), to.certificate, files);
    read_file_path(tls.at("chain"), to.chain, files);
    read_file_path(tls.at("key"), to.key, files);
    const auto minimum = tls.at("minimumtls");
    minimum.read_word(to.minimum, {"tls1.0", "tls1.1", "tls1.2", "tls1.3"});
    if (to.minimum < "tls1.2") minimum.warn("below TLS 1.2 connections can be broken into");
    tls.at("ciphersuites").read(to.ciphersuites);
    for (const auto& item : tls.at("clientcas").items())
        read_file_path(item, to.client_cas.emplace_back(), files);
    std::erase(to.client_cas, "");
    if (const auto clients = tls.at("clientauth"); !to.client_cas.empty()) {
        clients.read_word(to.client_auth,
                          {"request-client-cert", "require-any-client-cert",
                           "verify-client-cert-if-given", "require-and-verify-client-cert"});
    } else if (clients.present()) {
        clients.warn("means nothing without clientcas");
    }
    if (to.certificate.empty() && to.key.empty()) {
        if (!to.chain.empty()) tls.wrong("certificate and key are missing");
        return;
    }
    if (to.key.empty()) tls.wrong("key is missing: the file with the certificate's private key");
    if (to.certificate.empty()) tls.wrong("certificate is missing: the file that fits the key");
    config.tls = std::move(to);
}

void read_host(const ConfigValue& value, std::string& out) {
    value.read(out);
    while (out.ends_with('/'))
        out.pop_back();
    if (out.empty()) return;
    const auto begin = out.starts_with("https://") ? 8u : out.starts_with("http://") ? 7u : 0u;
    const auto host = std::string_view(out).substr(begin);
    const bool plain = std::ranges::none_of(host, [](char c) { return c <= ' ' || c == 0x7f; });
    if (begin == 0 || host.empty() || !plain ||
        host.find_first_of("?#@\\\"<>") != std::string_view::npos) {
        value.wrong("must be http://NAME or https://NAME, with a port if it is not the usual one");
    } else if (host.find('/') != std::string_view::npos) {
        value.wrong("holds a path; write that as http.prefix");
    }
}

void read_prefix(const ConfigValue& value, std::string& out) {
    value.read(out);
    if (!out.starts_with('/')) out.insert(0, 1, '/');
    if (!out.ends_with('/')) out += '/';
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("/-._~").find(c) != std::string_view::npos;
    };
    if (!std::ranges::all_of(out, fits) || out.find("//") != std::string::npos) {
        value.wrong("must be a path such as /registry/, of letters, digits and - . _ ~");
    }
}

void read_headers(const ConfigValue& headers, HttpConfig& config) {
    for (const auto& [name, value] : headers.members()) {
        if (!is_token(name)) {
            value.wrong("is no name of a header");
        } else if (std::ranges::count(kOwnHeaders, lower_case(name)) > 0) {
            value.wrong("the server sets this header itself");
        }
        for (const auto& item : value.items()) {
            std::string text;
            item.read(text);
            const auto bad = [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f; };
            if (std::ranges::any_of(text, bad)) item.wrong("must not hold control characters");
            if (!text.empty()) config.headers.emplace_back(name, std::move(text));
        }
    }
}

void read_proxies(const ConfigValue& proxies, HttpConfig& config) {
    for (const auto& item : proxies.items()) {
        std::string text;
        item.read(text);
        const auto slash = text.find('/');
        const auto bits = address_bits(text.substr(0, slash));
        const bool fits = bits && (slash == std::string::npos ||
                                   is_number(std::string_view(text).substr(slash + 1), *bits));
        if (!fits) {
            item.wrong("\"" + text + "\" is no address or network such as 10.0.0.7 or 10.0.0.0/8");
        }
        config.trusted_proxies.push_back(std::move(text));
    }
}

void read_secret(const ConfigValue& value, std::string& out) {
    value.read_secret(out);
    if (std::ranges::count(kKnownSecrets, lower_case(out)) > 0) {
        value.warn(
            "is the literal of an example, which everybody knows; write your own (`openssl rand "
            "-hex 32`) or take it out");
    }
}

void read_bounds(const ConfigValue& http, HttpConfig& config) {
    http.at("threads").read_count(config.threads, 0, kThreadsMost);
    const auto limits = http.at("limits");
    limits.at("connections").read_count(config.connections_max, 1, kConnectionsMost);
    std::uint64_t header_bytes = config.header_bytes_max;
    limits.at("headerbytes").read_bytes(header_bytes);
    if (header_bytes < kHeaderBytesLeast || header_bytes > kHeaderBytesMost) {
        limits.at("headerbytes").wrong("must be from 4KiB to 16MiB");
    }
    config.header_bytes_max = static_cast<std::size_t>(header_bytes);
    limits.at("blobbytes").read_bytes(config.blob_bytes_max);
    const std::pair<const char*, std::chrono::milliseconds*> timeouts[] = {
        {"header", &config.header_timeout},
        {"idle", &config.idle_timeout},
        {"body", &config.body_timeout}};
    for (const auto& [name, timeout] : timeouts) {
        const auto value = http.at("timeouts").at(name);
        value.read(*timeout);
        if (timeout->count() == 0) value.wrong("must be longer than 0");
    }
}

}  // namespace

HttpConfig read_http(const ConfigValue& http, NamedFiles files) {
    HttpConfig config;
    read_tls(http.at("tls"), files, config);
    read_listeners(http, config);
    read_host(http.at("host"), config.host);
    read_prefix(http.at("prefix"), config.prefix);
    http.at("relativeurls").read(config.relative_urls);
    read_secret(http.at("secret"), config.secret);
    http.at("draintimeout").read(config.drain_timeout);
    read_headers(http.at("headers"), config);
    read_proxies(http.at("trustedproxies"), config);
    read_bounds(http, config);
    return config;
}

}  // namespace berth::app
