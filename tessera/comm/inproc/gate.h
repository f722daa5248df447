// Where the ranks of a group meet: a barrier with a deadline that can be closed for good.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "tessera/base/deadline.h"
#include "tessera/base/mutex.h"
#include "tessera/base/result.h"

namespace tessera::comm {

// Every rank passes once per round. All ranks agree how a round ended: it opened for all of them, or for
// none; who lends its memory to the others until the next round relies on that.
class Gate {
 public:
  explicit Gate(int ranks) : ranks_(static_cast<uint64_t>(ranks)) {}

  // Blocks until all ranks have come. What they wrote before is seen after.
  // Errors: the reason of Close; what `late` returns once `deadline` has passed, which then closes the gate.
  Result<void> Pass(Deadline deadline, const std::function<Error()>& late) EXCLUDES(mutex_);

  // Wakes the ranks that wait and keeps all from passing again. The first reason stays. Any thread.
  void Close(const Error& reason) noexcept EXCLUDES(mutex_);

 private:
  // Blocks until the round `before` is over; false when the deadline passes first.
  bool Wait(uint32_t before, Deadline deadline);
  // Closes unless the round `before` is over already.
  void CloseLate(uint32_t before, const std::function<Error()>& late) EXCLUDES(mutex_);
  tl::unexpected<Error> Refuse() EXCLUDES(mutex_);

  const uint64_t ranks_;
  // Apart from each other: arriving must not disturb those who look at the round.
  alignas(64) std::atomic<uint64_t> arrived_{0};
  alignas(64) std::atomic<uint32_t> round_{
      0};  // 2 a round, plus 1 once closed: one word, so that both never cross
  std::atomic<uint32_t> sleepers_{0};
  Mutex mutex_;
  std::optional<Error> reason_ GUARDED_BY(mutex_);  // set before round_ says closed
};

}  // namespace tessera::comm
