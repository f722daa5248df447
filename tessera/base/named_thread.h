// Threads that a debugger and `top -H` show by name.
#pragma once

#include <pthread.h>

#include <future>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>

#include "tessera/base/result.h"

namespace tessera {

// At most 15 characters: Linux keeps no more.
inline void NameThisThread(const std::string& name) {
  (void)pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

// Starts `body` on a thread named `name`. Errors: kUnavailable (the system gives no thread).
template <class Body>
Result<std::thread> StartNamedThread(std::string name, Body body) {
  try {
    return std::thread([name = std::move(name), body = std::move(body)]() mutable {
      NameThisThread(name);
      body();
    });
  } catch (const std::system_error& error) {
    return Fail(Code::kUnavailable, "cannot start a thread: {}", error.what());
  }
}

// The same for a `body` with a result: the end of what is returned waits for the thread.
template <class Body>
Result<std::future<std::invoke_result_t<Body&>>> StartNamedTask(std::string name, Body body) {
  try {
    return std::async(std::launch::async, [name = std::move(name), body = std::move(body)]() mutable {
      NameThisThread(name);
      return body();
    });
  } catch (const std::system_error& error) {
    return Fail(Code::kUnavailable, "cannot start a thread: {}", error.what());
  }
}

}  // namespace tessera
