// Calls that may never return.
#pragma once

#include <functional>

#include "tessera/base/deadline.h"
#include "tessera/base/result.h"

namespace tessera {

// Runs `work` on a thread of its own, called `name` (at most 15 characters), and blocks until it is done:
// what it returns. At `deadline` the thread is left to itself with what `work` keeps alive; if it comes to
// the end, it calls `late`. Errors: those of `work`, kDeadline (left to itself), kUnavailable (the system
// gives no thread).
Result<void> RunAside(const char* name, std::function<Result<void>()> work, Deadline deadline,
                      std::function<void()> late = {});

}  // namespace tessera
