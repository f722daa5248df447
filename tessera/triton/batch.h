// Requests that run as one step: their inputs put together, the outputs taken apart.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "tessera/base/memory.h"
#include "tessera/base/mutex.h"
#include "tessera/base/tensor.h"
#include "tessera/engine/mover.h"
#include "tessera/exec/executor.h"
#include "tessera/triton/copies.h"
#include "tessera/triton/request.h"

namespace tessera::triton {

// Cuts `requests` (all of them unanswered) into runs that can be one step: neighbours whose inputs differ in
// the batch dimension only; without batching every request is a run of its own.
std::vector<std::span<Request* const>> GroupForSteps(std::span<Request* const> requests, bool batched);

// The inputs of one step. A lone request's value is used where it lies if it is in one piece; all else is
// copied together here, on the GPU if part of it is there. Serves one step after the other.
class StepInputs {
 public:
  explicit StepInputs(std::unique_ptr<engine::Mover> mover) : copies_(std::move(mover)) {}
  // Valid until the next call and while the requests live.
  Result<std::span<const TensorView>> Gather(std::span<Request* const> requests, Deadline deadline);

 private:
  Result<void> GatherAll(std::span<Request* const> requests);
  Result<TensorView> GatherOne(std::span<Request* const> requests, size_t input);
  Result<TensorView> GatherShapeTensor(std::span<Request* const> requests, size_t input);

  Copies copies_;
  std::vector<TensorView> views_;
};

// Where the outputs of one step go: for a lone request straight into its response, for several ones into
// memory here, from which Finish cuts each request's rows.
class StepOutputs : public exec::OutputTarget {
 public:
  explicit StepOutputs(std::unique_ptr<engine::Mover> mover) : copies_(std::move(mover)) {}
  void Start(std::span<Request* const> requests, const Signature& signature);
  Result<Region> Place(int index, DType type, const Shape& shape) override;

  // After the step: fills what was not written in place. A request whose response does not take an output is
  // answered with that error. Errors: those of the whole step - none of them fails it before, because ranks
  // that are stopped in their step are loaded anew, and a client's output buffer must not cause that.
  Result<void> Finish(Deadline deadline);

 private:
  struct Output {
    DType type = DType::kUndefined;
    Shape shape;
    std::optional<Region> staged;  // none: written in place, or not wanted
    Region target;                 // of a lone request whose response memory is not aligned for the type
  };

  bool Wanted(int index) const;
  Result<void> CheckBatch(int index, const Shape& shape) const;
  Region PlaceInResponse(int index, Output& output);
  Region PlaceHere(int index, Output& output);
  Result<void> ScatterAll();
  Result<void> Scatter(int index, const Output& output);
  void AnswerRefusals();
  Region Misfit(Error error);

  std::span<Request* const> requests_;
  const Signature* signature_ = nullptr;
  int64_t batch_size_ = 0;
  bool on_device_ = false;  // several requests' outputs are put together there, as their inputs were
  Copies copies_;
  std::vector<Output> outputs_;                     // each is touched by the one thread that places it
  std::vector<std::optional<Error>> refusals_;      // [request]: of its response to take an output
  Mutex mutex_;                                     // a response takes one new output at a time
  std::optional<Error> misfit_ GUARDED_BY(mutex_);  // the first one
};

}  // namespace tessera::triton
