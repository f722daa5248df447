// The kernel's wait on a word, which std::atomic::wait is made of, but with a deadline. Source: futex(2).
#pragma once

#include <atomic>
#include <cstdint>

#include "tessera/base/deadline.h"

namespace tessera::comm {

// Blocks while `word` holds `value`, until a wake. Returns false once `deadline` has passed; true may mean
// nothing happened (a signal), so callers look at the word again.
bool FutexWait(const std::atomic<uint32_t>& word, uint32_t value, Deadline deadline);

void FutexWakeAll(const std::atomic<uint32_t>& word) noexcept;

}  // namespace tessera::comm
