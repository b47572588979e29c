// Addresses, timeouts and limits.
#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>

#include "base/text.h"
#include "migrate/address_set.h"
#include "migrate/site.h"

namespace berth::migrate {

namespace {

struct Endpoint {
    std::string host;  // empty: all addresses
    std::string port;  // empty: not said
};

bool is_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

Endpoint parse_endpoint(std::string_view text) {
    Endpoint endpoint;
    const auto bracket = text.rfind(']');
    const auto colon = text.rfind(':');
    const bool has_port = colon != text.npos && (bracket == text.npos || colon > bracket);
    if (has_port) endpoint.port = text.substr(colon + 1);
    endpoint.host = text.substr(0, has_port ? colon : text.npos);
    if (endpoint.host == "*" || equal_ignoring_case(endpoint.host, "_default_") ||
        endpoint.host == "0.0.0.0" || endpoint.host == "[::]") {
        endpoint.host.clear();
    }
    if (endpoint.port == "*") endpoint.port.clear();
    return endpoint;
}

std::vector<Endpoint> listens(Site& site) {
    std::vector<Endpoint> endpoints;
    for (const auto* listen : site.all("listen")) {
        const auto word = listen->word(0);
        endpoints.push_back(is_digits(word) ? Endpoint{"", std::string(word)}
                                            : parse_endpoint(word));
        site.report.carried(*listen, "http.addr, if it is the registry's port");
    }
    return endpoints;
}

void translate_addresses(Site& site) {
    const auto open = listens(site);
    std::vector<Endpoint> wanted;
    if (site.host) {
        for (const auto& word : site.host->words)
            wanted.push_back(parse_endpoint(word));
    }
    if (wanted.empty()) wanted.emplace_back();
    std::vector<std::string> addresses;
    const auto add = [&](const std::string& host, const std::string& port) {
        const auto address = host + ":" + (port.empty() ? (site.tls ? "443" : "80") : port);
        if (std::ranges::count(addresses, address) == 0) addresses.push_back(address);
    };
    for (const auto& [host, port] : wanted) {
        bool found = false;
        for (const auto& [listen_host, listen_port] : open) {
            if (!port.empty() && port != listen_port) continue;
            if (!host.empty() && !listen_host.empty() && host != listen_host) continue;
            add(host.empty() ? listen_host : host, listen_port);
            found = true;
        }
        if (!found) add(host, port);
    }
    if (addresses.size() == 1) {
        site.config.set({"http", "addr"}, addresses.front());
    } else {
        site.config.set({"http", "addr"}, addresses);
    }
    if (site.host) {
        site.report.carried(*site.host, "http.addr: " + join(addresses, ", ") +
                                            (site.tls ? ", with TLS" : ", without TLS, as it was"));
    }
}

std::optional<unsigned long> number(std::string_view text) {
    unsigned long value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// Seconds, as most directives count; KeepAliveTimeout also knows ms.
void carry_seconds(Site& site, std::string_view key, std::string_view name) {
    const auto* directive = site.last(key);
    if (!directive) return;
    std::string_view word = directive->word(0);
    const bool fine = word.ends_with("ms");
    if (fine) word.remove_suffix(2);
    const auto value = number(word);
    if (!value || *value == 0) {
        site.report.lost(
            *directive,
            "not a number of seconds; Berth's default stays: http.timeouts." + std::string(name));
        return;
    }
    const auto duration = std::to_string(*value) + (fine ? "ms" : "s");
    site.config.set({"http", "timeouts", name}, duration);
    site.report.carried(*directive, "http.timeouts." + std::string(name) + ": " + duration);
}

// header=20-40,MinRate=500 body=20,MinRate=500
void translate_read_timeout(Site& site) {
    const auto* directive = site.last("requestreadtimeout");
    if (!directive) return;
    for (const auto& word : directive->words) {
        if (!lower_case(word).starts_with("header=")) continue;
        const auto limits = split(word.substr(7, word.find(',') - 7), "-");
        const auto most = limits.empty() ? std::nullopt : number(limits.back());
        if (!most || *most == 0) continue;
        site.config.set({"http", "timeouts", "header"}, std::to_string(*most) + "s");
        site.report.carried(*directive, "http.timeouts.header: " + std::to_string(*most) +
                                            "s; a body is only asked to keep moving "
                                            "(http.timeouts.body)");
        return;
    }
    site.report.needless(*directive, "Berth has its own: http.timeouts");
}

void translate_limits(Site& site) {
    if (const auto* directive = site.last("limitrequestbody")) {
        const auto bytes = number(directive->word(0));
        if (bytes && *bytes > 0) {
            site.config.set({"http", "limits", "blobbytes"}, std::to_string(*bytes));
            site.report.carried(*directive,
                                "http.limits.blobbytes: a blob's size, also when it "
                                "comes in several requests");
        } else {
            site.report.needless(*directive, "blobs have no limit by default");
        }
    }
    if (const auto* directive = site.last("limitrequestfieldsize")) {
        const auto bytes = number(directive->word(0));
        if (bytes && *bytes > (64u << 10) && *bytes <= (16u << 20)) {
            site.config.set({"http", "limits", "headerbytes"}, std::to_string(*bytes));
            site.report.carried(*directive, "http.limits.headerbytes");
        } else {
            site.report.needless(*directive,
                                 "http.limits.headerbytes is 64KiB by default, for "
                                 "all fields of a request together");
        }
    }
    if (const auto* directive = site.last("keepalive")) {
        if (equal_ignoring_case(directive->word(0), "off")) {
            site.report.lost(*directive,
                             "Berth keeps connections open for the next request; "
                             "shorten http.timeouts.idle if they are too many");
        } else {
            site.report.needless(*directive, "always so");
        }
    }
}

// mod_remoteip: whose word about the client's address counts.
void translate_remote_ip(Site& site) {
    std::vector<std::string> proxies;
    bool by_forwarded_for = false;
    if (const auto* header = site.last("remoteipheader")) {
        by_forwarded_for = equal_ignoring_case(header->word(0), "x-forwarded-for");
        if (by_forwarded_for) {
            site.report.carried(*header, "http.trustedproxies, whose X-Forwarded-For counts");
        } else {
            site.report.lost(*header,
                             "only X-Forwarded-For tells Berth a client's address; "
                             "have the proxy send it, and name it in http.trustedproxies");
        }
    }
    for (const auto* key : {"remoteipinternalproxy", "remoteiptrustedproxy"}) {
        for (const auto* directive : site.all(key)) {
            std::vector<std::string> bad;
            for (const auto& word : directive->words) {
                const auto set = AddressSet::parse(word);
                if (!set) bad.push_back(word);
                if (set) std::ranges::move(set->networks(), std::back_inserter(proxies));
            }
            if (bad.empty() && by_forwarded_for) {
                site.report.carried(*directive, "http.trustedproxies");
            } else {
                site.report.lost(*directive,
                                 "http.trustedproxies takes addresses and networks "
                                 "whose X-Forwarded-For counts");
            }
        }
    }
    for (const auto* key : {"remoteipinternalproxylist", "remoteiptrustedproxylist"}) {
        for (const auto* directive : site.all(key)) {
            site.report.lost(*directive,
                             "write the addresses of the file into "
                             "http.trustedproxies");
        }
    }
    if (by_forwarded_for && !proxies.empty()) site.config.set({"http", "trustedproxies"}, proxies);
}

}  // namespace

void translate_server(Site& site) {
    translate_addresses(site);
    carry_seconds(site, "timeout", "body");
    carry_seconds(site, "keepalivetimeout", "idle");
    translate_read_timeout(site);
    translate_limits(site);
    translate_remote_ip(site);
}

}  // namespace berth::migrate
