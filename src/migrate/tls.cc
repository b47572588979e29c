// TLS: mod_ssl's directives.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "migrate/site.h"

namespace berth::migrate {

namespace {

constexpr std::array<std::string_view, 4> kProtocols{"tlsv1", "tlsv1.1", "tlsv1.2", "tlsv1.3"};
constexpr std::array<std::string_view, 4> kMinimums{"tls1.0", "tls1.1", "tls1.2", "tls1.3"};

void translate_files(Site& site, const Directive& engine) {
    const auto certificates = site.all("sslcertificatefile");
    const auto keys = site.all("sslcertificatekeyfile");
    if (certificates.empty()) {
        // Without a certificate Berth would speak no TLS; these paths stop it from starting.
        site.config.set({"http", "tls", "certificate"}, "/etc/berth/registry.crt");
        site.config.set({"http", "tls", "key"}, "/etc/berth/registry.key");
        site.report.lost(engine,
                         "names no certificate: put one and its key where "
                         "http.tls.certificate and http.tls.key say");
        return;
    }
    for (const auto* directive : certificates) {
        if (directive != certificates.front()) {
            site.report.lost(*directive,
                             "Berth has one certificate; this second one, of another "
                             "kind of key, is not served");
            continue;
        }
        site.config.set({"http", "tls", "certificate"}, site.path(directive->word(0)));
        site.report.carried(*directive, "http.tls.certificate");
        // Apache takes the key from the certificate's file if none is named.
        if (keys.empty()) site.config.set({"http", "tls", "key"}, site.path(directive->word(0)));
    }
    for (const auto* directive : keys) {
        if (directive != keys.front()) {
            site.report.lost(*directive, "the key of the certificate that is not served");
            continue;
        }
        site.config.set({"http", "tls", "key"}, site.path(directive->word(0)));
        site.report.carried(*directive, "http.tls.key");
    }
    if (const auto* chain = site.last("sslcertificatechainfile")) {
        site.config.set({"http", "tls", "chain"}, site.path(chain->word(0)));
        site.report.carried(*chain, "http.tls.chain");
    }
}

void translate_protocols(Site& site) {
    const auto* directive = site.last("sslprotocol");
    if (!directive) return;
    std::array<bool, 4> on{};
    std::array<bool, 4> by_name{};
    for (auto word : directive->words) {
        word = lower_case(word);
        const bool minus = word.starts_with('-');
        if (minus || word.starts_with('+')) word.erase(0, 1);
        for (std::size_t i = 0; i < on.size(); ++i) {
            if (word != "all" && word != kProtocols[i]) continue;
            on[i] = !minus;
            by_name[i] = !minus && word != "all";
        }
    }
    const auto lowest = static_cast<std::size_t>(std::ranges::find(on, true) - on.begin());
    if (lowest == on.size()) {
        site.report.lost(*directive, "names no version that Berth speaks; TLS 1.2 and 1.3 are");
        return;
    }
    // Below TLS 1.2 only where somebody wrote that name.
    auto minimum = lowest;
    while (minimum < 2 && !by_name[minimum])
        ++minimum;
    site.config.set({"http", "tls", "minimumtls"}, std::string(kMinimums[minimum]));
    auto text = "http.tls.minimumtls: " + std::string(kMinimums[minimum]);
    if (minimum > lowest) {
        text +=
            "; All also took TLS 1.0 and 1.1, which can be broken into: write tls1.0 if you "
            "have clients that old";
    } else if (minimum < 2) {
        text += "; connections below TLS 1.2 can be broken into";
    } else if (!on[3]) {
        text += "; TLS 1.3 is spoken, too";
    }
    site.report.carried(*directive, text);
}

void translate_ciphers(Site& site) {
    std::vector<std::string> suites;
    for (const auto* directive : site.all("sslciphersuite")) {
        // `SSLCipherSuite TLSv1.3 LIST` is beside the other's list.
        const auto& words = directive->words;
        const bool has_version = words.size() > 1 && lower_case(words[0]).starts_with("tls");
        const bool is_default = !words.empty() && equal_ignoring_case(words.back(), "default");
        if (words.empty() || is_default) {
            site.report.needless(*directive, "OpenSSL's default is Berth's, too");
            continue;
        }
        if (!has_version) {
            std::erase_if(suites,
                          [](const std::string& name) { return !name.starts_with("TLS_"); });
        }
        for (auto& name : split(words.back(), ":, "))
            suites.push_back(std::move(name));
        site.report.carried(*directive, "http.tls.ciphersuites");
    }
    if (!suites.empty()) site.config.set({"http", "tls", "ciphersuites"}, suites);
    if (const auto* directive = site.last("sslhonorcipherorder")) {
        if (equal_ignoring_case(directive->word(0), "off")) {
            site.report.lost(*directive, "the server's order counts with Berth");
        } else {
            site.report.needless(*directive, "always so");
        }
    }
}

void translate_client_certificates(Site& site) {
    const auto* verify = site.last("sslverifyclient");
    const auto* file = site.last("sslcacertificatefile");
    const auto* folder = site.last("sslcacertificatepath");
    const auto mode = verify ? lower_case(verify->word(0)) : std::string("none");
    if (verify == nullptr || mode == "none") {
        for (const auto* directive : {verify, file, folder}) {
            if (directive) site.report.needless(*directive, "clients are asked for no certificate");
        }
        return;
    }
    if (mode == "optional_no_ca") {
        site.report.lost(*verify, "certificates of unknown authorities are refused");
    } else {
        site.report.carried(*verify, "http.tls.clientauth");
    }
    site.config.set({"http", "tls", "clientauth"}, mode == "require"
                                                       ? "require-and-verify-client-cert"
                                                       : "verify-client-cert-if-given");
    std::vector<std::string> authorities;
    if (file) {
        authorities.push_back(site.path(file->word(0)));
        site.report.carried(*file, "http.tls.clientcas");
    }
    if (folder) {
        const auto path = site.path(folder->word(0));
        if (!file) authorities.push_back(path);
        site.report.lost(*folder,
                         "Berth reads files: make one of the folder's certificates and "
                         "name it in http.tls.clientcas (cat " +
                             path + "/*.pem)");
    }
    // Without it Berth would ask nobody; a path that is no file stops it from starting.
    if (authorities.empty()) authorities.push_back(site.path("client-authorities.pem"));
    site.config.set({"http", "tls", "clientcas"}, authorities);
}

}  // namespace

void translate_tls(Site& site) {
    const auto* engine = site.last("sslengine");
    site.tls = engine && !equal_ignoring_case(engine->word(0), "off");
    if (!site.tls) {
        if (engine) site.report.needless(*engine, "no TLS here");
        for (const auto* directive : site.directives) {
            if (directive->key.starts_with("ssl")) {
                site.report.needless(*directive, "there is no TLS without SSLEngine on");
            }
        }
        return;
    }
    if (equal_ignoring_case(engine->word(0), "optional")) {
        site.report.lost(*engine, "TLS is spoken from the start (RFC 2817 is not)");
    } else {
        site.report.carried(*engine, "http.tls");
    }
    translate_files(site, *engine);
    translate_protocols(site);
    translate_ciphers(site);
    translate_client_certificates(site);
}

}  // namespace berth::migrate
