#include "store/cache/redis_connection.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>
#include <vector>

#include "base/release.h"

namespace berth::store {

namespace {

// Answers are a word, a number or an entry of ours.
constexpr std::size_t kAnswerBytesMax = 4096;

using Reply = std::unique_ptr<redisReply, Release<freeReplyObject>>;

std::unexpected<Error> no_redis() {
    return fail(Errc::unavailable, "what answers does not speak as Redis does");
}

}  // namespace

void RedisConnection::FreeReader::operator()(redisReader* reader) const {
    redisReaderFree(reader);
}

RedisConnection::RedisConnection(std::unique_ptr<net::Connection> connection, std::string address)
    : connection_(std::move(connection)),
      address_(std::move(address)),
      reader_(redisReaderCreate()) {
    if (!reader_) throw std::bad_alloc();
}

RedisConnection::~RedisConnection() = default;

Result<std::unique_ptr<RedisConnection>> RedisConnection::open(const RedisOptions& options) {
    Result<std::unique_ptr<RedisConnection>> opened =
        fail(Errc::invalid, "no address of Redis is configured");
    const auto deadline = std::chrono::steady_clock::now() + options.dial_timeout;
    const auto& addresses = options.addresses;
    for (std::size_t at = 0; at < addresses.size(); ++at) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        opened = open_at(addresses[at], options, left / static_cast<int>(addresses.size() - at));
        if (opened) break;
    }
    return opened;
}

Result<std::unique_ptr<RedisConnection>> RedisConnection::open_at(const std::string& address,
                                                                  const RedisOptions& options,
                                                                  std::chrono::milliseconds time) {
    BERTH_TRY(auto dialed, net::dial({.address = address,
                                      .tls = options.tls,
                                      .connect_timeout = time,
                                      .read_timeout = options.read_timeout,
                                      .write_timeout = options.write_timeout}));
    std::unique_ptr<RedisConnection> connection(new RedisConnection(std::move(dialed), address));
    auto logged_in = connection->log_in(options);
    if (!logged_in) return std::unexpected(std::move(logged_in.error()).with_context(address));
    return connection;
}

Result<void> RedisConnection::log_in(const RedisOptions& options) {
    if (!options.password.empty()) {
        const auto answer = options.username.empty()
                                ? exchange({"AUTH", options.password})
                                : exchange({"AUTH", options.username, options.password});
        // Only the first word: some servers repeat in the rest what they were told.
        if (!answer && answer.error().code == Errc::denied) {
            const auto& detail = answer.error().detail;
            return fail(Errc::denied,
                        "the login is refused: " + detail.substr(0, detail.find(' ')));
        }
        if (!answer) return std::unexpected(answer.error());
    }
    if (options.db != 0) BERTH_CHECK(exchange({"SELECT", std::to_string(options.db)}));
    return {};
}

Result<std::optional<std::string>> RedisConnection::ask(
    std::initializer_list<std::string_view> command) {
    auto answer = exchange(command);
    if (!answer) return std::unexpected(std::move(answer.error()).with_context(address_));
    return answer;
}

Result<std::optional<std::string>> RedisConnection::exchange(
    std::initializer_list<std::string_view> command) {
    BERTH_CHECK(send(command));
    return receive();
}

Result<void> RedisConnection::send(std::initializer_list<std::string_view> command) {
    std::vector<const char*> words;
    std::vector<std::size_t> sizes;
    for (const auto& word : command) {
        words.push_back(word.data());
        sizes.push_back(word.size());
    }
    char* text = nullptr;
    const int size =
        redisFormatCommandArgv(&text, static_cast<int>(words.size()), words.data(), sizes.data());
    if (size < 0) throw std::bad_alloc();
    const std::unique_ptr<char, Release<redisFreeCommand>> owned(text);
    return connection_->write_all(as_bytes({text, static_cast<std::size_t>(size)}));
}

Result<std::optional<std::string>> RedisConnection::receive() {
    std::array<std::byte, kAnswerBytesMax> bytes;
    std::size_t received = 0;
    void* raw = nullptr;
    while (raw == nullptr) {
        BERTH_TRY(const auto count, connection_->read_some(bytes));
        if (count == 0) return fail(Errc::unavailable, "Redis has closed the connection");
        const auto text = as_text(Bytes(bytes).first(count));
        // No answer to us is an array, for which hiredis would set apart what its head asks for.
        const bool is_array = received == 0 && text.front() == '*';
        received += count;
        if (is_array || received > kAnswerBytesMax) return no_redis();
        redisReaderFeed(reader_.get(), text.data(), text.size());
        if (redisReaderGetReply(reader_.get(), &raw) != REDIS_OK) return no_redis();
    }
    const Reply reply(static_cast<redisReply*>(raw));
    switch (reply->type) {
        case REDIS_REPLY_ERROR:
            return fail(Errc::denied, std::string(reply->str, reply->len));
        case REDIS_REPLY_STRING:
        case REDIS_REPLY_STATUS:
            return std::string(reply->str, reply->len);
        case REDIS_REPLY_NIL:
            return std::nullopt;
        default:
            return no_redis();
    }
}

}  // namespace berth::store
