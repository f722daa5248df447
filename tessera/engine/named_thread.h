// Threads that a debugger and `top -H` show by name.
#pragma once

#include <pthread.h>

#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "tessera/base/result.h"

namespace tessera::engine {

// Starts `body` on a thread named `name` (at most 15 characters, Linux keeps no more). Errors: kUnavailable
// (the system gives no thread).
template <class Body>
Result<std::thread> StartNamedThread(std::string name, Body body) {
  try {
    return std::thread([name = std::move(name), body = std::move(body)]() mutable {
      pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
      body();
    });
  } catch (const std::system_error& error) {
    return Fail(Code::kUnavailable, "cannot start a thread: {}", error.what());
  }
}

}  // namespace tessera::engine
