// berth_push: a client that pushes to a registry as fast as it answers, and cheaply, so that a
// small machine measures the server. Blobs in two requests (POST, PUT), as docker does; or tags.
//
// usage: berth_push URL[,user:password] blobs|tags COUNT SIZE PARALLEL REPOSITORY
//
// Prints one JSON object: seconds, count, bytes, p50_ms, p99_ms. The blobs are random, new for each
// run, and made before the clock starts. Errors end the run.
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/encoding.h"
#include "base/unique_fd.h"

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void stop(const std::string& why) {
    throw std::runtime_error(why);
}

struct Target {
    bool tls = false;
    std::string host, port, authorization;
};

Target parse_target(std::string text) {
    Target target;
    if (const auto comma = text.find(','); comma != std::string::npos) {
        const auto pair = text.substr(comma + 1);
        target.authorization =
            "Authorization: Basic " +
            berth::base64_encode({reinterpret_cast<const std::byte*>(pair.data()), pair.size()}) +
            "\r\n";
        text.resize(comma);
    }
    target.tls = text.starts_with("https://");
    const auto start = text.find("//") + 2;
    const auto colon = text.find(':', start);
    target.host = text.substr(start, colon - start);
    target.port = text.substr(colon + 1);
    return target;
}

// One keep-alive connection that blocks; opened anew after the server has closed it.
class Connection {
  public:
    Connection(const Target& target, SSL_CTX* context) : target_(target), context_(context) {
        connect();
    }
    struct Answer {
        int status = 0;
        std::string location;
    };

    Answer call(const std::string& method, const std::string& path, const std::string& type,
                std::string_view body) {
        std::string head = method + " " + path + " HTTP/1.1\r\nHost: " + target_.host + ":" +
                           target_.port + "\r\n" + target_.authorization;
        if (!type.empty()) head += "Content-Type: " + type + "\r\n";
        head += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
        if (body.size() <= 16384) {
            head += body;
            body = {};
        }
        if (!fd_) connect();
        write(head);
        write(body);
        return read_answer();
    }

  private:
    void connect() {
        addrinfo hints{}, *found = nullptr;
        hints.ai_socktype = SOCK_STREAM;
        if (getaddrinfo(target_.host.c_str(), target_.port.c_str(), &hints, &found) != 0)
            stop("no such host " + target_.host);
        const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
        fd_ = berth::UniqueFd(::socket(found->ai_family, SOCK_STREAM, 0));
        if (::connect(fd_.get(), found->ai_addr, found->ai_addrlen) != 0) stop("cannot connect");
        const int one = 1;
        setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (!target_.tls) return;
        ssl_.reset(SSL_new(context_));
        SSL_set_fd(ssl_.get(), fd_.get());
        if (SSL_connect(ssl_.get()) != 1) stop("no TLS");
    }

    void write(std::string_view text) {
        while (!text.empty()) {
            const auto length = std::min<std::size_t>(text.size(), 1 << 20);
            const auto sent = ssl_ ? SSL_write(ssl_.get(), text.data(), static_cast<int>(length))
                                   : ::send(fd_.get(), text.data(), length, MSG_NOSIGNAL);
            if (sent <= 0) stop("the connection broke");
            text.remove_prefix(static_cast<std::size_t>(sent));
        }
    }

    void fill() {
        char buffer[16384];
        const auto got = ssl_ ? SSL_read(ssl_.get(), buffer, sizeof buffer)
                              : ::recv(fd_.get(), buffer, sizeof buffer, 0);
        if (got <= 0) stop("the connection ended");
        in_.append(buffer, static_cast<std::size_t>(got));
    }

    std::string field(const std::string& head, const char* name) {
        const char* at = strcasestr(head.c_str(), name);
        if (at == nullptr) return {};
        at += std::strlen(name);
        while (*at == ' ')
            ++at;
        return {at, std::strcspn(at, "\r")};
    }

    Answer read_answer() {
        std::size_t end = 0;
        while ((end = in_.find("\r\n\r\n")) == std::string::npos)
            fill();
        const auto head = in_.substr(0, end + 2);
        in_.erase(0, end + 4);
        Answer answer{std::atoi(head.c_str() + 9), field(head, "\r\nLocation:")};
        auto length = std::strtoul(field(head, "\r\nContent-Length:").c_str(), nullptr, 10);
        while (in_.size() < length)
            fill();
        in_.erase(0, length);
        if (field(head, "\r\nConnection:") == "close") {
            ssl_.reset();
            fd_.reset();
        }
        return answer;
    }

    struct Free {
        void operator()(SSL* ssl) const { SSL_free(ssl); }
    };
    const Target& target_;
    SSL_CTX* context_;
    berth::UniqueFd fd_;
    std::unique_ptr<SSL, Free> ssl_;
    std::string in_;
};

std::string sha256(std::string_view bytes) {
    unsigned char digest[32];
    EVP_Digest(bytes.data(), bytes.size(), digest, nullptr, EVP_sha256(), nullptr);
    return "sha256:" +
           berth::hex_encode({reinterpret_cast<const std::byte*>(digest), sizeof digest});
}

struct Blob {
    std::string bytes, digest;
};

Blob random_blob(std::mt19937_64& random, std::size_t size) {
    Blob blob;
    blob.bytes.resize((size + 7) / 8 * 8);
    for (std::size_t i = 0; i < blob.bytes.size(); i += 8) {
        const auto word = random();
        std::memcpy(blob.bytes.data() + i, &word, 8);
    }
    blob.bytes.resize(size);
    blob.digest = sha256(blob.bytes);
    return blob;
}

std::string path_of(const std::string& location) {
    const auto scheme = location.find("://");
    return scheme == std::string::npos ? location : location.substr(location.find('/', scheme + 3));
}

void push_blob(Connection& connection, const std::string& repository, const Blob& blob) {
    const auto begun = connection.call("POST", "/v2/" + repository + "/blobs/uploads/", "", "");
    if (begun.status != 202) stop("POST: " + std::to_string(begun.status));
    auto path = path_of(begun.location);
    path += (path.find('?') == std::string::npos ? "?digest=" : "&digest=") + blob.digest;
    const auto done = connection.call("PUT", path, "application/octet-stream", blob.bytes);
    if (done.status != 201) stop("PUT: " + std::to_string(done.status));
}

constexpr const char* kManifestType = "application/vnd.oci.image.manifest.v1+json";

std::string manifest_of(const Blob& config) {
    return R"({"schemaVersion":2,"mediaType":")" + std::string(kManifestType) +
           R"(","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":")" +
           config.digest + R"(","size":)" + std::to_string(config.bytes.size()) +
           R"(},"layers":[]})";
}

void push_tag(Connection& connection, const std::string& repository, const std::string& tag,
              const std::string& manifest) {
    const auto done =
        connection.call("PUT", "/v2/" + repository + "/manifests/" + tag, kManifestType, manifest);
    if (done.status != 201) stop("PUT manifest: " + std::to_string(done.status));
}

int run(int argc, char** argv) {
    if (argc != 7)
        stop("usage: berth_push URL[,user:password] blobs|tags COUNT SIZE PARALLEL REPO");
    const Target target = parse_target(argv[1]);
    const bool tags = std::string_view(argv[2]) == "tags";
    const std::size_t count = std::strtoul(argv[3], nullptr, 10);
    const std::size_t size = std::strtoul(argv[4], nullptr, 10);
    const std::size_t parallel = std::strtoul(argv[5], nullptr, 10);
    const std::string repository = argv[6];

    std::mt19937_64 random{std::random_device()()};
    std::vector<Blob> blobs;
    for (std::size_t i = 0; i < (tags ? 1 : count); ++i)
        blobs.push_back(random_blob(random, size));
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(
        SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    std::string manifest;
    if (tags) {
        Connection first(target, context.get());
        push_blob(first, repository, blobs.front());
        manifest = manifest_of(blobs.front());
    }

    std::vector<std::unique_ptr<Connection>> connections;
    for (std::size_t i = 0; i < parallel; ++i)
        connections.push_back(std::make_unique<Connection>(target, context.get()));
    std::vector<double> milliseconds(count);
    std::atomic<std::size_t> next{0};
    std::atomic<bool> broken{false};
    const auto work = [&](Connection& connection) {
        try {
            for (std::size_t i = next++; i < count && !broken; i = next++) {
                const auto begun = Clock::now();
                if (tags) {
                    push_tag(connection, repository, "t" + std::to_string(i), manifest);
                } else {
                    push_blob(connection, repository, blobs[i]);
                }
                milliseconds[i] =
                    std::chrono::duration<double, std::milli>(Clock::now() - begun).count();
            }
        } catch (const std::exception& error) {
            std::fprintf(stderr, "%s\n", error.what());
            broken = true;
        }
    };
    const auto begun = Clock::now();
    std::vector<std::thread> threads;
    for (auto& connection : connections)
        threads.emplace_back(work, std::ref(*connection));
    for (auto& thread : threads)
        thread.join();
    if (broken) return 1;
    const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
    std::sort(milliseconds.begin(), milliseconds.end());
    std::printf(R"({"seconds": %.6f, "count": %zu, "bytes": %zu, "p50_ms": %.3f, "p99_ms": %.3f})"
                "\n",
                seconds, count, tags ? 0 : count * size, milliseconds[count / 2],
                milliseconds[count * 99 / 100]);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "berth_push: %s\n", error.what());
        return 2;
    }
}
