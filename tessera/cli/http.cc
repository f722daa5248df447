#include "tessera/cli/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

#include "tessera/base/posix.h"

namespace tessera::cli {
namespace {

Result<sockaddr_in> AddressOf(const std::string& address, int port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<uint16_t>(port));
  if (port < 0 || port > 65535) return Fail(Code::kInvalidArgument, "port {}: wanted is 0 .. 65535", port);
  if (inet_pton(AF_INET, address.c_str(), &where.sin_addr) != 1) {
    return Fail(Code::kInvalidArgument, "'{}' is not an IPv4 address", address);
  }
  return where;
}

tl::unexpected<Error> Broken(const char* what) {
  return Fail(Code::kUnavailable, "{}: {}", what, std::strerror(errno));
}

Result<UniqueFd> Connect(const sockaddr_in& where, std::chrono::milliseconds limit) {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return Broken("socket");
  const timeval time{limit.count() / 1000, (limit.count() % 1000) * 1000};
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&where), sizeof(where)) != 0)
    return Broken("connect");
  return socket;
}

Result<void> SendAll(int socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return Broken("send");
    text.remove_prefix(static_cast<size_t>(sent));
  }
  return {};
}

Result<std::string> ReceiveAll(int socket) {
  std::string text;
  std::array<char, 4096> buffer;
  ssize_t got = 0;
  while ((got = recv(socket, buffer.data(), buffer.size(), 0)) > 0)
    text.append(buffer.data(), static_cast<size_t>(got));
  if (got < 0) return Broken("receive");
  return text;
}

// "HTTP/1.1 200 OK\r\n..\r\n\r\nbody"
Result<HttpAnswer> Parse(const std::string& text) {
  HttpAnswer answer;
  const size_t body = text.find("\r\n\r\n");
  const size_t status = text.find(' ');
  if (text.rfind("HTTP/", 0) != 0 || body == std::string::npos || status == std::string::npos) {
    return Fail(Code::kUnavailable, "the answer is not HTTP");
  }
  std::from_chars(text.data() + status + 1, text.data() + body, answer.status);
  answer.body = text.substr(body + 4);
  return answer;
}

}  // namespace

Result<HttpAnswer> HttpRequest(const std::string& address, int port, const std::string& method,
                               const std::string& path, std::chrono::milliseconds limit) {
  TRY_ASSIGN(const sockaddr_in where, AddressOf(address, port));
  TRY_ASSIGN(const UniqueFd socket, Connect(where, limit));
  // HTTP/1.0 and no keep-alive: the answer ends with the connection and is not chunked.
  TRY(SendAll(socket.get(),
              fmt::format("{} {} HTTP/1.0\r\nHost: {}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                          method, path, address)));
  TRY_ASSIGN(const std::string text, ReceiveAll(socket.get()));
  return Parse(text);
}

Result<int> FreePort(const std::string& address, int port) {
  TRY_ASSIGN(sockaddr_in where, AddressOf(address, port));
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return Broken("socket");
  const int yes = 1;  // a port that only waits for its last packets is free
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  socklen_t size = sizeof(where);
  if (bind(socket.get(), reinterpret_cast<sockaddr*>(&where), size) != 0 || listen(socket.get(), 1) != 0) {
    return Fail(Code::kUnavailable, "cannot listen on {}:{}: {}", address, port, std::strerror(errno));
  }
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&where), &size) != 0)
    return Broken("getsockname");
  return static_cast<int>(ntohs(where.sin_port));
}

}  // namespace tessera::cli
