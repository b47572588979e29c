#include "api/request_log.h"

#include <cstdio>

#include "api/caller.h"
#include "api/exchange.h"

namespace berth::api {
namespace {

constexpr int kInternalError = 500;

// Who has been verified for it a moment ago; empty: nobody.
std::string user_of(const Services& services, const auth::Presented& presented) {
    const auth::IdentityPtr who = services.authenticator.remembered(presented);
    return who ? who->name : std::string();
}

std::string format_duration(std::chrono::nanoseconds duration) {
    char text[32];
    const auto milliseconds = std::chrono::duration<double, std::milli>(duration).count();
    std::snprintf(text, sizeof(text), "%.6fms", milliseconds);
    return text;
}

}  // namespace

void log_finished(const Context& context, const http::Request& request,
                  const http::Response& response, const http::Outcome& outcome) {
    const Services& services = context.services;
    Logger& log = services.log;
    if (log.access_enabled()) {
        const auth::Presented presented = presented_by(context, request);
        const std::string user = user_of(services, presented);
        log.access({.remote_address = presented.address,
                    .user = user,
                    .at = services.clock.now(),
                    .method = request.method_text,
                    .target = request.target,
                    .protocol = request.version,
                    .status = response.status,
                    .body_bytes = outcome.body_bytes,
                    .referer = request.field("Referer"),
                    .user_agent = request.field("User-Agent")});
    }
    const LogLevel level = response.status >= kInternalError ? LogLevel::info : LogLevel::debug;
    if (!log.enabled(level)) return;
    log.write(level, outcome.complete ? "response completed" : "response broken off",
              {{"http.request.host", std::string(request.host)},
               {"http.request.id", request.id},
               {"http.request.method", std::string(request.method_text)},
               {"http.request.remoteaddr", request.peer ? request.peer->endpoint() : std::string()},
               {"http.request.uri", std::string(request.target)},
               {"http.request.useragent", std::string(request.field("User-Agent"))},
               {"http.response.duration", format_duration(outcome.duration)},
               {"http.response.status", std::to_string(response.status)},
               {"http.response.written", std::to_string(outcome.body_bytes)}});
}

void log_cause(Logger& log, const http::Request& request, const Refusal& refusal) {
    const Error& cause = *refusal.cause;
    log.write(LogLevel::error, "response completed with error",
              {{"err.code", std::string(name_of(cause.code))},
               {"err.detail", cause.detail},
               {"err.message", refusal.message},
               {"http.request.id", request.id},
               {"http.request.method", std::string(request.method_text)},
               {"http.request.remoteaddr", request.peer ? request.peer->endpoint() : std::string()},
               {"http.request.uri", std::string(request.target)}});
}

}  // namespace berth::api
