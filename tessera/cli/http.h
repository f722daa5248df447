// The little of HTTP that it takes to ask a server on this machine something.
#pragma once

#include <chrono>
#include <string>

#include "tessera/base/result.h"

namespace tessera::cli {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// One request on a connection of its own. `address` is an IPv4 address. Blocks for at most `limit` a read.
// Errors: kUnavailable (nothing listens, the connection broke, not HTTP).
Result<HttpAnswer> HttpRequest(const std::string& address, int port, const std::string& method,
                               const std::string& path, std::chrono::milliseconds limit);

// Checks that `port` can be listened on; 0 = takes a free one. Returns the port, which may be taken again at
// once. Errors: kUnavailable (in use, no such address).
Result<int> FreePort(const std::string& address, int port);

}  // namespace tessera::cli
