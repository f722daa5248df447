// load_client PORT MODEL CONNECTIONS SECONDS: asks MODEL over HTTP as fast as it answers, with x = 1..4
// (FP32, [1,4]), and prints requests per second. Each connection has a thread, a request that is made once,
// and no parser: it costs the server's machine as little as a client can. Exit code 1: an answer was not 200,
// or of another size than the first.
#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

std::string MakeRequest(const std::string& model) {
  const std::string header =
      R"({"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","parameters":{"binary_data_size":16}}],)"
      R"("outputs":[{"name":"y","parameters":{"binary_data":true}}]})";
  const std::array<float, 4> x{1, 2, 3, 4};
  std::string body = header + std::string(reinterpret_cast<const char*>(x.data()), sizeof(x));
  return fmt::format(
             "POST /v2/models/{}/infer HTTP/1.1\r\nHost: localhost\r\nInference-Header-Content-Length: {}\r\n"
             "Content-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n",
             model, header.size(), body.size()) +
         body;
}

int Connect(int port) {
  int socket_fd = socket(AF_INET, SOCK_STREAM, 0);
  int on = 1;
  setsockopt(socket_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket_fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) return socket_fd;
  close(socket_fd);
  return -1;
}

// The size of one whole answer of status 200, or -1. `buffer` is larger than any of them.
ssize_t ReadAnswer(int socket_fd, std::array<char, 4096>& buffer) {
  size_t got = 0;
  while (true) {
    ssize_t n = recv(socket_fd, buffer.data() + got, buffer.size() - 1 - got, 0);
    if (n <= 0) return -1;
    got += static_cast<size_t>(n);
    buffer[got] = 0;
    const char* end = std::strstr(buffer.data(), "\r\n\r\n");
    if (end == nullptr) continue;
    const char* length = std::strstr(buffer.data(), "Content-Length: ");
    if (std::strncmp(buffer.data(), "HTTP/1.1 200", 12) != 0 || length == nullptr) return -1;
    size_t whole = static_cast<size_t>(end + 4 - buffer.data()) + std::stoul(length + 16);
    if (got >= whole) return static_cast<ssize_t>(got);
  }
}

struct Load {
  std::string request;
  std::atomic<bool> counting{false};
  std::atomic<bool> stop{false};
  std::atomic<bool> failed{false};
  std::atomic<long> answers{0};
};

void AskUntilStopped(int port, Load& load) {
  int socket_fd = Connect(port);
  std::array<char, 4096> buffer;
  ssize_t first = 0;
  while (!load.stop) {
    bool sent = send(socket_fd, load.request.data(), load.request.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(load.request.size());
    ssize_t size = sent ? ReadAnswer(socket_fd, buffer) : -1;
    if (first == 0) first = size;
    if (size < 0 || size != first) load.failed = load.stop = true;
    if (load.counting) load.answers.fetch_add(1, std::memory_order_relaxed);
  }
  close(socket_fd);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  Load load;
  load.request = MakeRequest(argv[2]);
  std::vector<std::thread> threads;
  for (int i = 0; i < std::stoi(argv[3]); ++i)
    threads.emplace_back(AskUntilStopped, std::stoi(argv[1]), std::ref(load));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // the first answers fill caches
  const std::chrono::duration<double> span(std::stod(argv[4]));
  load.counting = true;
  std::this_thread::sleep_for(span);
  load.counting = false;
  const auto answers = static_cast<double>(load.answers.load());
  load.stop = true;
  for (std::thread& thread : threads) thread.join();
  fmt::print("{:.1f}\n", answers / span.count());
  return load.failed ? 1 : 0;
}
