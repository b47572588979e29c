#include "http/loop_state.h"

#include <array>
#include <cstdio>
#include <ctime>

#include "base/random.h"

namespace berth::http {

namespace {

// What is kept for the next connection; the rest goes back to the system.
constexpr std::size_t kExchangesMax = 64;
constexpr std::size_t kOutputsMax = 16;
constexpr std::size_t kOutputBytesMax = 64 << 10;

constexpr std::size_t kIdBytes = 10;

// IMF-fixdate (RFC 9110 §5.6.7), in English whatever the locale.
void append_date(std::string& out, std::time_t now) {
    static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm utc{};
    gmtime_r(&now, &utc);
    char text[64];
    const int length =
        std::snprintf(text, sizeof text, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
                      kDays[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                      kMonths[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900,
                      utc.tm_hour, utc.tm_min, utc.tm_sec);
    out.append(text, static_cast<std::size_t>(length));
}

void reset(Request& request) {
    std::vector<Field> fields = std::move(request.fields);
    std::string id = std::move(request.id);
    request = Request();
    fields.clear();
    request.fields = std::move(fields);
    request.id = std::move(id);
}

}  // namespace

std::string_view LoopState::common_lines(SteadyTime now) {
    if (now >= common_until_) {
        const auto wall = std::chrono::system_clock::now();
        const auto second = std::chrono::floor<std::chrono::seconds>(wall);
        common_until_ = now + (second + std::chrono::seconds(1) - wall);
        common_ = fields_;
        append_date(common_, std::chrono::system_clock::to_time_t(second));
    }
    return common_;
}

// Random bytes from the kernel, not a generator of ours: whoever sees many ids foretells none.
void LoopState::write_id(std::string& id) {
    static constexpr char kHex[] = "0123456789abcdef";
    if (random_used_ + kIdBytes > random_.size()) {
        random_bytes(random_);
        random_used_ = 0;
    }
    id.resize(2 * kIdBytes);
    for (std::size_t i = 0; i < kIdBytes; ++i) {
        const auto byte = std::to_integer<unsigned>(random_[random_used_++]);
        id[2 * i] = kHex[byte >> 4];
        id[2 * i + 1] = kHex[byte & 0xf];
    }
}

std::unique_ptr<Exchange> LoopState::take_exchange() {
    std::unique_ptr<Exchange> exchange;
    if (exchanges_.empty()) {
        exchange = std::make_unique<Exchange>();
    } else {
        exchange = std::move(exchanges_.back());
        exchanges_.pop_back();
    }
    write_id(exchange->request.id);
    return exchange;
}

void LoopState::give_back(std::unique_ptr<Exchange> exchange) {
    if (exchanges_.size() == kExchangesMax) return;
    reset(exchange->request);
    exchange->response.reset();
    exchange->head.reset();
    exchange->response.mark = 0;
    exchange->body_copied = 0;
    exchange->received = 0;
    exchanges_.push_back(std::move(exchange));
}

std::string LoopState::take_output() {
    if (outputs_.empty()) return {};
    std::string output = std::move(outputs_.back());
    outputs_.pop_back();
    return output;
}

void LoopState::give_back(std::string output) {
    if (outputs_.size() == kOutputsMax || output.capacity() > kOutputBytesMax) return;
    output.clear();
    outputs_.push_back(std::move(output));
}

}  // namespace berth::http
