#include "tests/testing/http_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace mendel::testing {

namespace {

constexpr int kPatienceSeconds = 20;

bool starts_with_folded(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         strncasecmp(text.data(), prefix.data(), prefix.size()) == 0;
}

}  // namespace

std::string HttpReply::field(std::string_view name) const {
  const std::string start = std::string(name) + ": ";
  for (std::size_t at = head.find("\r\n"); at != std::string::npos;
       at = head.find("\r\n", at)) {
    at += 2;
    const std::string_view line = std::string_view(head).substr(at);
    if (starts_with_folded(line, start)) {
      return std::string(line.substr(start.size(), line.find("\r\n") - start.size()));
    }
  }
  return {};
}

HttpSocket::HttpSocket(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
  const timeval patience{kPatienceSeconds, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  sockaddr_in server{};
  server.sin_family = AF_INET;
  server.sin_port = htons(port);
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<sockaddr*>(&server), sizeof server) != 0) {
    throw std::runtime_error(std::string("cannot connect: ") + std::strerror(errno));
  }
}

HttpSocket::HttpSocket(HttpSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), input_(std::move(other.input_)) {}

HttpSocket::~HttpSocket() {
  if (fd_ >= 0) close(fd_);
}

bool HttpSocket::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      throw std::runtime_error("the server takes nothing");
    }
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void HttpSocket::end_sending() { shutdown(fd_, SHUT_WR); }

bool HttpSocket::receive() {
  std::array<char, 65536> buffer;
  const ssize_t size = recv(fd_, buffer.data(), buffer.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    throw std::runtime_error("the server says nothing");
  }
  if (size <= 0) return false;
  input_.append(buffer.data(), static_cast<std::size_t>(size));
  return true;
}

std::string HttpSocket::read(std::size_t size) {
  while (input_.size() < size && receive()) continue;
  std::string bytes = input_.substr(0, size);
  input_.erase(0, bytes.size());
  return bytes;
}

std::string HttpSocket::read_to_end() {
  while (receive()) continue;
  return std::exchange(input_, {});
}

bool HttpSocket::is_closed_by_server() { return input_.empty() && !receive(); }

std::string HttpSocket::read_line() {
  std::size_t end = input_.find("\r\n");
  while (end == std::string::npos && receive()) end = input_.find("\r\n");
  if (end == std::string::npos) return {};
  return read(end + 2);
}

HttpReply HttpSocket::read_reply_without_body() {
  HttpReply reply;
  std::string line = read_line();
  while (!line.empty() && line != "\r\n") {
    reply.head += line;
    line = read_line();
  }
  if (line != "\r\n") return reply;
  reply.status = std::stoi(reply.head.substr(std::strlen("HTTP/1.1 "), 3));
  reply.is_whole = true;
  return reply;
}

HttpReply HttpSocket::read_reply() {
  HttpReply reply = read_reply_without_body();
  if (!reply.is_whole) return reply;

  if (const std::string length = reply.field("Content-Length"); !length.empty()) {
    const std::size_t size = std::stoull(length);
    reply.body = read(size);
    reply.is_whole = reply.body.size() == size;
  } else if (reply.field("Transfer-Encoding") == "chunked") {
    for (;;) {
      const std::string line = read_line();
      const std::size_t size = line.empty() ? 0 : std::stoull(line, nullptr, 16);
      const std::string chunk = read(size);
      const std::string end = read(2);
      reply.body += chunk;
      reply.is_whole = end == "\r\n";
      if (size == 0 || !reply.is_whole) break;
    }
  } else {
    reply.body = read_to_end();
  }
  return reply;
}

HttpReply HttpSocket::get(std::string_view target) {
  send("GET " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n\r\n");
  return read_reply();
}

}  // namespace mendel::testing
