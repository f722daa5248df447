// What one step in flight has to itself.
#pragma once

#include <chrono>
#include <utility>

#include "tessera/engine/tensorrt/completion.h"
#include "tessera/engine/tensorrt/step_addresses.h"
#include "tessera/engine/tensorrt/step_times.h"
#include "tessera/engine/tensorrt/transfer.h"

namespace tessera::engine {

// Whoever issues the step uses it until the step is in flight, then whoever waits for its end.
struct StepSlot {
  StepSlot(size_t slot, StepTransfer made, StepCompletion signals, StepAddresses own_buffers)
      : index(slot), transfer(std::move(made)), completion(std::move(signals)), at(std::move(own_buffers)) {}

  const size_t index;
  StepTransfer transfer;
  StepCompletion completion;
  StepAddresses at;  // memory of the request that is used in place
  StepTimes times;
  Deadline deadline = Deadline::Never();
  Deadline::Clock::duration limit{0};  // as StepQueue::Flight has it

  bool kept_out = false;  // another model's work kept it from a GPU until its deadline

  void Begin(const Step& step) {
    kept_out = false;
    lap = Deadline::Clock::now();
    deadline = step.deadline;
    limit = deadline.never() ? Deadline::Clock::duration::max() : deadline.at() - lap;
  }
  // The time since the last lap is `time`'s.
  void Lap(std::chrono::nanoseconds& time) {
    const auto now = Deadline::Clock::now();
    time = now - std::exchange(lap, now);
  }

  Deadline::Clock::time_point lap;
};

}  // namespace tessera::engine
