// Calls that may never return.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "tessera/base/deadline.h"
#include "tessera/base/result.h"

namespace tessera {

// Runs `work` on a thread of its own, called `name` (at most 15 characters), and blocks until it is done:
// what it returns. At `deadline` the thread is left to itself with what `work` keeps alive; if it comes to
// the end, it calls `late`. Errors: those of `work` (an exception is one: caught.h), kDeadline (left to
// itself), kUnavailable (the system gives no thread).
Result<void> RunAside(const char* name, std::function<Result<void>()> work, Deadline deadline,
                      std::function<void()> late = {});

// The same for a `make` that returns Result<T>: what it makes too late goes with its thread.
template <class Make>
std::invoke_result_t<Make&> MakeAside(const char* name, Make make, Deadline deadline) {
  using Made = typename std::invoke_result_t<Make&>::value_type;
  auto made = std::make_shared<std::optional<Made>>();
  auto work = [made, make = std::move(make)]() -> Result<void> {
    TRY_ASSIGN(*made, make());
    return {};
  };
  TRY(RunAside(name, std::move(work), deadline));
  return *std::move(*made);
}

}  // namespace tessera
