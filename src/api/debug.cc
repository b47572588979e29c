#include "api/debug.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "api/exchange.h"

namespace berth::api {
namespace {

constexpr int kOk = 200, kUnavailable = 503, kNotFound = 404, kNotAllowed = 405;

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kPlain = "text/plain; charset=utf-8";
// Prometheus' text format by its own name.
constexpr std::string_view kExposition = "text/plain; version=0.0.4; charset=utf-8";

// An answer without its head.
struct Page {
    int status = kOk;
    std::string_view content_type = kPlain;
    std::string text;
};

bool is_below(std::string_view path, std::string_view folder) {
    return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

class DebugHandler final : public http::Handler {
  public:
    explicit DebugHandler(DebugServices services) : services_(std::move(services)) {}

    bool try_serve(const http::Request&, http::Response&) override { return false; }

    Task<void> serve(const http::Request& request, http::Body&, http::Response& response) override {
        auto work = [this, &request] { return Result<Page>(page_of(request)); };
        const Result<Page> page = co_await run_on(services_.pool, work);
        if (!page) {
            answer(request, response, {kUnavailable, kPlain, "too many ask at once; try again\n"});
            co_return;
        }
        if (page->status == kNotAllowed) response.add("Allow", "GET, HEAD");
        answer(request, response, *page);
    }

    void refuse(const http::Request& request, int status, std::string_view reason,
                http::Response& response) override {
        answer(request, response, {status, kPlain, std::string(reason) + "\n"});
    }

    void finished(const http::Request&, const http::Response&, const http::Outcome&) override {}

  private:
    static void answer(const http::Request& request, http::Response& response, const Page& page) {
        response.status = page.status;
        answer_text(request, response, page.content_type, page.text);
    }

    Page page_of(const http::Request& request) const {
        auto page = find_page(request.path);
        if (!page) return {kNotFound, kPlain, "there is nothing at this path\n"};
        const bool reads =
            request.method == http::Method::get || request.method == http::Method::head;
        if (!reads) return {kNotAllowed, kPlain, "this can only be read\n"};
        return (this->**page)();
    }

    // How the page is made; nullopt: there is none.
    using Make = Page (DebugHandler::*)() const;
    std::optional<Make> find_page(std::string_view path) const {
        if (path == "/debug/health") return &DebugHandler::health;
        if (path == "/debug/vars") return &DebugHandler::vars;
        if (services_.metrics && path == services_.metrics_path) return &DebugHandler::metrics;
        if (is_below(path, "/debug/pprof")) return &DebugHandler::profiles;
        return std::nullopt;
    }

    Page health() const {
        const auto failures = services_.failures();
        const nlohmann::json checks(failures);
        return {failures.empty() ? kOk : kUnavailable, kJson,
                checks.empty()
                    ? "{}"
                    : checks.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
    }
    Page vars() const { return {kOk, kJson, services_.vars()}; }
    Page metrics() const { return {kOk, kExposition, services_.metrics()}; }
    Page profiles() const {
        return {kNotFound, kPlain,
                "profiles of this form are of programs in Go: use perf(1) on the process\n"};
    }

    const DebugServices services_;
};

}  // namespace

std::unique_ptr<http::Handler> make_debug_handler(DebugServices services) {
    return std::make_unique<DebugHandler>(std::move(services));
}

}  // namespace berth::api
