// The graphs of one shape that work on requests' own memory.
#pragma once

#include <list>

#include "tessera/engine/tensorrt/step_addresses.h"

namespace tessera::engine {

// A capture costs as much as hundreds of copies, so it is made for addresses that come back (shared memory, a
// pool's buffers): at their kCaptureAt-th time, unless too many others came between. The least recently used
// goes first. Not thread-safe.
class DirectSteps {
 public:
  static constexpr size_t kMostSteps = 8;
  static constexpr size_t kMostSeen = 16;
  static constexpr int kCaptureAt = 3;

  // Null: none. Valid until the next Keep.
  const CapturedStep* Find(const StepAddresses& at);
  // Counts a step on addresses without a graph. True: they are worth one.
  bool Seen(const StepAddresses& at);
  const CapturedStep* Keep(CapturedStep step);
  // A capture failed: the next one would, too.
  void GiveUp() { given_up_ = true; }
  bool given_up() const { return given_up_; }

 private:
  struct Count {
    StepAddresses at;
    int times = 0;
  };
  std::list<CapturedStep> steps_;  // most recently used first
  std::list<Count> seen_;          // likewise
  bool given_up_ = false;
};

}  // namespace tessera::engine
