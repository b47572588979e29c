#include "support/http_exchange.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "base/text.h"
#include "http/text.h"

namespace berth {

HttpTestServer::HttpTestServer(http::Handler& handler, http::ServerOptions options,
                               std::shared_ptr<const net::TlsSource> tls)
    : server_(loops_, handler, disk_, std::move(options)) {
    auto listener =
        net::Listener::open({.network = "tcp", .address = "127.0.0.1:0", .tls = std::move(tls)});
    if (!listener) throw std::runtime_error(listener.error().detail);
    const std::string& address = (*listener)->address();
    port_ = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
    server_.add(*std::move(listener));
    loops_.start();
}

HttpTestServer::~HttpTestServer() {
    stop();
}

void HttpTestServer::stop() {
    server_.stop_accepting();
    loops_.stop(std::chrono::seconds(30));
}

std::string HttpAnswer::field(std::string_view name) const {
    for (const auto& [key, value] : fields) {
        if (equal_ignoring_case(key, name)) return value;
    }
    return {};
}

HttpTestClient::HttpTestClient(std::uint16_t port)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
    }
}

void HttpTestClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0) throw std::runtime_error(std::string("send: ") + std::strerror(errno));
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

void HttpTestClient::finish_sending() {
    ::shutdown(fd_.get(), SHUT_WR);
}

void HttpTestClient::reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    fd_.reset();
}

bool HttpTestClient::receive_some() {
    char bytes[16 << 10];
    const auto count = ::recv(fd_.get(), bytes, sizeof bytes, 0);
    if (count < 0) throw std::runtime_error(std::string("recv: ") + std::strerror(errno));
    received_.append(bytes, static_cast<std::size_t>(count));
    return count > 0;
}

std::string HttpTestClient::receive_until(std::string_view marker) {
    auto at = received_.find(marker);
    while (at == std::string::npos && receive_some())
        at = received_.find(marker);
    const auto size = at == std::string::npos ? received_.size() : at + marker.size();
    std::string taken = received_.substr(0, size);
    received_.erase(0, size);
    return taken;
}

std::string HttpTestClient::receive_all() {
    while (receive_some()) {
    }
    return std::exchange(received_, std::string());
}

HttpAnswer HttpTestClient::ask(std::string_view method, std::string_view target,
                               const HttpFields& fields, std::string_view body) {
    std::string text;
    text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n");
    for (const auto& [name, value] : fields)
        text.append(name).append(": ").append(value).append("\r\n");
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    send(text.append("\r\n").append(body));
    return receive_answer(method == "HEAD");
}

HttpAnswer HttpTestClient::receive_answer(bool head_only) {
    const std::string head = receive_until("\r\n\r\n");
    if (!head.starts_with("HTTP/1.1 ") || !head.ends_with("\r\n\r\n")) {
        throw std::runtime_error("no answer but \"" + head + "\"");
    }
    HttpAnswer answer;
    answer.status = std::stoi(head.substr(9, 3));
    std::string_view lines = std::string_view(head).substr(head.find("\r\n") + 2);
    while (!lines.starts_with("\r\n")) {
        const auto line = lines.substr(0, lines.find("\r\n"));
        const auto colon = line.find(": ");
        if (colon == std::string_view::npos) throw std::runtime_error("bad field in " + head);
        answer.fields.emplace_back(line.substr(0, colon), line.substr(colon + 2));
        lines.remove_prefix(line.size() + 2);
    }
    const std::string length = answer.field("Content-Length");
    if (head_only || length.empty()) return answer;
    const auto size = std::stoull(length);
    while (received_.size() < size) {
        if (!receive_some()) throw std::runtime_error("the answer's body ends early");
    }
    answer.body = received_.substr(0, size);
    received_.erase(0, size);
    return answer;
}

std::string http_exchange(std::uint16_t port, std::string_view sent) {
    HttpTestClient client(port);
    client.send(sent);
    client.finish_sending();
    return without_dates(client.receive_all());
}

std::string http_exchange_until_closed(std::uint16_t port, std::string_view sent) {
    HttpTestClient client(port);
    client.send(sent);
    return without_dates(client.receive_all());
}

std::string without_dates(std::string text) {
    for (;;) {
        const auto at = text.find("\r\nDate: ");
        if (at == std::string::npos) return text;
        text.erase(at, text.find("\r\n", at + 2) - at);
    }
}

}  // namespace berth
