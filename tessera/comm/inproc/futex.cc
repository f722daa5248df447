#include "tessera/comm/inproc/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <ctime>

namespace tessera::comm {
namespace {

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t) && std::atomic<uint32_t>::is_always_lock_free,
              "the kernel reads the word as it lies in memory");

// steady_clock counts CLOCK_MONOTONIC's nanoseconds, which FUTEX_WAIT_BITSET takes as an absolute time.
timespec ToTimespec(Deadline deadline) {
  const auto since = deadline.at().time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  timespec time{};
  time.tv_sec = seconds.count();
  time.tv_nsec = std::chrono::nanoseconds(since - seconds).count();
  return time;
}

}  // namespace

bool FutexWait(const std::atomic<uint32_t>& word, uint32_t value, Deadline deadline) {
  const timespec time = deadline.never() ? timespec{} : ToTimespec(deadline);
  const long result = ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, value,
                                deadline.never() ? nullptr : &time, nullptr, FUTEX_BITSET_MATCH_ANY);
  return result == 0 || errno != ETIMEDOUT;
}

void FutexWakeAll(const std::atomic<uint32_t>& word) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace tessera::comm
