// Requests on their way through one step.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "tessera/triton/batch.h"
#include "tessera/triton/request.h"

namespace tessera::triton {

// What one step's requests have to themselves from being read to being released. In one thread's hands at a
// time.
struct Round {
  Round(std::unique_ptr<engine::Mover> in, std::unique_ptr<engine::Mover> out)
      : device(in ? std::optional(in->device()) : std::nullopt),
        inputs(std::move(in)),
        outputs(std::move(out)) {}

  // Takes `taken` over; throws before it has taken any.
  void Take(std::span<Request* const> taken, uint64_t exec_start);
  // Answers all that is not answered, with `done`'s error if it has one.
  void Answer(const Result<void>& done) noexcept;
  void Report(TRITONBACKEND_ModelInstance* instance) const noexcept;

  const std::optional<DeviceId> device;  // that the ranks are fed from best
  std::vector<Request> requests;
  std::vector<Request*> order;  // the same
  StepInputs inputs;
  StepOutputs outputs;
  Timeline times;
};

}  // namespace tessera::triton
