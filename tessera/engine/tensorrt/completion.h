// Waiting for all ranks' streams at once.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "tessera/base/deadline.h"
#include "tessera/base/result.h"
#include "tessera/cuda/signal.h"
#include "tessera/cuda/stream.h"

namespace tessera::engine {

// Each rank's stream writes a number to host memory at the end of a step; the host spins on those words. That
// costs nothing per rank, where events cost a microsecond each; errors, aborts and the deadline are looked at
// now and then.
class StepCompletion {
 public:
  static Result<StepCompletion> Create(int world_size);

  // Starts a step.
  void Begin() { ++number_; }
  // Marks the end of `rank`'s work in this step.
  Result<void> End(int rank, const cuda::Stream& stream) const { return signals_.Set(rank, number_, stream); }

  // Blocks until every rank ended the step. `check` is called a few thousand times a second: an error ends
  // the wait. Errors: kDeadline, that of `check`, that of a stream's work.
  Result<void> Wait(const std::vector<const cuda::Stream*>& streams, Deadline deadline,
                    const std::function<Result<void>()>& check) const;

 private:
  explicit StepCompletion(cuda::Signals signals) : signals_(std::move(signals)) {}
  bool Ended(size_t ranks) const;
  tl::unexpected<Error> Late(size_t ranks) const;
  cuda::Signals signals_;
  uint32_t number_ = 0;
};

}  // namespace tessera::engine
