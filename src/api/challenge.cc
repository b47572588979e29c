#include "api/challenge.h"

#include "api/location.h"
#include "auth/token/token_issuer.h"

namespace berth::api {
namespace {

using http::Method;

std::string origin(const Context& context, const http::Request& request) {
    return origin_of(request, context.options, context.proxies);
}

std::string_view host_of(std::string_view origin) {
    const std::size_t start = origin.find("://");
    return start == origin.npos ? std::string_view() : origin.substr(start + 3);
}

// RFC 9110, 5.6.4.
std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

struct TokenService {
    std::string realm;
    std::string service;
};

// Where the request's client gets a token; empty where that is not known.
TokenService token_service(const Context& context, const http::Request& request) {
    const ApiOptions& options = context.options;
    if (!context.services.issuer && !options.outside_realm.empty() &&
        options.autoredirect_path.empty()) {
        return {options.outside_realm, options.outside_service};
    }
    const std::string here = origin(context, request);
    if (here.empty()) return {};
    if (context.services.issuer) {
        return {here + options.prefix + options.token_path, service_of(context, request)};
    }
    return {here + options.autoredirect_path, options.outside_service};
}

std::string_view actions_of(const Route& route, Method method) {
    const bool reads = method == Method::get || method == Method::head;
    switch (route.resource) {
        case Resource::uploads:
        case Resource::upload:
            return "pull,push";
        case Resource::manifest:
        case Resource::blob:
            if (reads) return "pull";
            return method == Method::remove ? "delete" : "pull,push";
        default:
            return "pull";
    }
}

// The other repository of a mount: docker asks for both in one token.
std::string source_of(const Exchange& exchange) {
    if (exchange.route.resource != Resource::uploads) return {};
    const auto query = http::Query::parse(exchange.request.query);
    const auto from = query ? query->find("from") : std::nullopt;
    if (!from || !oci::RepositoryName::parse(*from)) return {};
    return " repository:" + std::string(*from) + ":pull";
}

}  // namespace

bool has_token_service(const Context& context) {
    return context.services.issuer || !context.options.outside_realm.empty() ||
           !context.options.autoredirect_path.empty();
}

std::string service_of(const Context& context, const http::Request& request) {
    const std::string& configured = context.services.issuer->options().service;
    return configured.empty() ? std::string(host_of(origin(context, request))) : configured;
}

std::string scope_of(const Exchange& exchange) {
    const Route& route = exchange.route;
    if (route.resource == Resource::catalog) return "registry:catalog:*";
    // What is no name could hold anything, and a header is no place for that.
    if (route.name.empty() || !oci::RepositoryName::parse(route.name)) return {};
    std::string scope = "repository:" + std::string(route.name) + ":";
    scope += actions_of(route, exchange.request.method);
    return scope + source_of(exchange);
}

std::string challenge(const Context& context, const http::Request& request, std::string_view scope,
                      Complaint complaint) {
    if (!has_token_service(context)) return context.challenge;
    const TokenService service = token_service(context, request);
    if (service.realm.empty()) return context.challenge;
    std::string text = "Bearer realm=" + quoted(service.realm);
    text += ",service=" + quoted(service.service);
    if (!scope.empty()) text += ",scope=" + quoted(scope);
    if (complaint == Complaint::invalid_token) text += ",error=\"invalid_token\"";
    if (complaint == Complaint::insufficient_scope) text += ",error=\"insufficient_scope\"";
    return text;
}

std::string basic_challenge(std::string_view realm) {
    return "Basic realm=" + quoted(realm) + ", charset=\"UTF-8\"";
}

}  // namespace berth::api
