#include "tessera/cli/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/base/posix.h"

namespace tessera::cli {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

// Listens on a loopback port, answers one connection with `answer` and keeps what was asked.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : answer_(std::move(answer)) {
    listener_ = UniqueFd(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(where);
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&where), size), 0);
    EXPECT_EQ(listen(listener_.get(), 1), 0);
    EXPECT_EQ(getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&where), &size), 0);
    port_ = ntohs(where.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~OneAnswer() { thread_.join(); }
  int port() const { return port_; }

 private:
  void Serve() {
    UniqueFd connection(accept(listener_.get(), nullptr, nullptr));
    char buffer[1024];
    (void)!recv(connection.get(), buffer, sizeof(buffer), 0);
    (void)!send(connection.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL);
  }
  std::string answer_;
  UniqueFd listener_;
  int port_ = 0;
  std::thread thread_;
};

TEST(HttpRequest, GivesStatusAndBody) {
  OneAnswer server("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
  auto answer = HttpRequest("127.0.0.1", server.port(), "GET", "/", seconds(10));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 404);
  EXPECT_EQ(answer->body, "no");
}

TEST(HttpRequest, RefusesWhatIsNotHttp) {
  OneAnswer server("hello");
  auto answer = HttpRequest("127.0.0.1", server.port(), "GET", "/", seconds(10));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message, "the answer is not HTTP");
}

TEST(HttpRequest, SaysThatNobodyListens) {
  auto port = FreePort("127.0.0.1", 0);
  ASSERT_TRUE(port);
  auto answer = HttpRequest("127.0.0.1", *port, "GET", "/", seconds(10));
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("connect: "));
}

TEST(FreePort, RefusesAPortInUse) {
  OneAnswer server("HTTP/1.1 200 OK\r\n\r\n");
  auto port = FreePort("127.0.0.1", server.port());
  ASSERT_FALSE(port);
  EXPECT_THAT(port.error().message, HasSubstr("cannot listen on 127.0.0.1:" + std::to_string(server.port())));
  EXPECT_TRUE(HttpRequest("127.0.0.1", server.port(), "GET", "/", seconds(10)));  // lets the server end
}

TEST(FreePort, RefusesWhatIsNoAddressOrPort) {
  EXPECT_FALSE(FreePort("localhost!", 0));
  EXPECT_FALSE(FreePort("127.0.0.1", 65536));
  EXPECT_FALSE(FreePort("127.0.0.1", -1));
}

}  // namespace
}  // namespace tessera::cli
