// What the tests of net share: loops that run, sockets that talk to them, and TLS certificates made
// on the spot.
#pragma once

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/task.h"
#include "base/unique_fd.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/tls.h"
#include "net/tls_source.h"
#include "support/temporary_directory.h"

namespace berth::net {

template <class T>
Task<void> fulfil(Task<T> task, std::shared_ptr<std::promise<T>> promise) {
    T value = co_await std::move(task);
    promise->set_value(std::move(value));
}

template <class T>
std::future<T> begin(Loop& loop, Task<T> task) {
    auto promise = std::make_shared<std::promise<T>>();
    auto future = promise->get_future();
    loop.spawn(fulfil(std::move(task), std::move(promise)));
    return future;
}

// Loops that run for as long as a test.
class LoopTest : public testing::Test {
  protected:
    LoopTest() { loops.start(); }
    Loop& loop() { return loops.first(); }

    Loops loops{1};
};

struct SocketPair {
    UniqueFd server;  // non-blocking
    UniqueFd client;
};
SocketPair unix_pair();
// Over 127.0.0.1.
SocketPair tcp_pair();

// Blocking; less only at the end.
std::string read_exactly(int fd, std::size_t size);
std::string read_to_end(int fd);
// Blocking; false when the other side is gone.
bool send_all(int fd, std::string_view bytes);

// Bytes that differ from place to place.
std::string pattern(std::size_t size);

enum class KeyKind { rsa, ec };

// A self-signed certificate for localhost and its key as PEM files.
class Certificate {
  public:
    explicit Certificate(KeyKind kind);
    TlsOptions options() const;
    std::shared_ptr<const TlsContext> context(const std::string& minimum = "tls1.2") const;
    std::shared_ptr<const TlsSource> source() const;

  private:
    TemporaryDirectory directory_;
};

// A blocking TLS client on a socket.
class TlsClient {
  public:
    // `version` is OpenSSL's, TLS1_2_VERSION say: the only one it speaks.
    TlsClient(int fd, int version, SSL_SESSION* session = nullptr);

    bool handshake();
    bool write(std::string_view bytes);
    // Less only at the end.
    std::string read_exactly(std::size_t size);
    bool ended_properly() const;  // with close_notify
    SSL* get() { return ssl_.get(); }

  private:
    struct Free {
        void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
        void operator()(SSL* ssl) const { SSL_free(ssl); }
    };
    std::unique_ptr<SSL_CTX, Free> context_;
    std::unique_ptr<SSL, Free> ssl_;
};

}  // namespace berth::net
