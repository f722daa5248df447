// One rank at work: its engine, its memory, and what it issues to its stream in a step.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "tessera/cuda/event.h"
#include "tessera/cuda/graph.h"
#include "tessera/engine/tensorrt/output_allocator.h"
#include "tessera/engine/tensorrt/peers.h"
#include "tessera/engine/tensorrt/rank_buffers.h"
#include "tessera/engine/tensorrt/rank_engine.h"
#include "tessera/engine/tensorrt/step_plan.h"

namespace tessera::engine {

// Not thread-safe: the rank's own thread while a plan is prepared or a step runs uncaptured, else whoever
// runs the step.
class RankRunner {
 public:
  // `peers` is null for a single rank.
  static Result<std::shared_ptr<RankRunner>> Create(std::unique_ptr<RankEngine> engine,
                                                    std::shared_ptr<Peers> peers);
  ~RankRunner();
  RankRunner(const RankRunner&) = delete;
  RankRunner& operator=(const RankRunner&) = delete;

  RankEngine& engine() { return *engine_; }
  const cuda::Stream& stream() const { return engine_->stream(); }

  // Room for the inputs of `shape`. True: memory moved, so every captured graph is void.
  Result<bool> EnsureInputs(const StepShape& shape);
  // Binds shapes and addresses (its own buffers' where `at` has no memory), tells the outputs' shapes and
  // makes room for them. True as above.
  Result<bool> Bind(const StepPlan& plan, const StepAddresses& at, std::vector<Shape>& outputs);

  // Copies this rank's input, or its part of a gathered one, to its place. `from` must be reachable by the
  // GPU at full speed (pinned or device) and stay until the step is done.
  Result<void> CopyInput(const StepPlan& plan, size_t input, const ConstRegion& from);
  // Issues gathering and inference; in a captured plan that is one launch.
  Result<void> Issue(const StepPlan& plan);
  // The same for a shape that never ran. The engine allocates and loads kernels then, for which CUDA may wait
  // until a gathering in front is done: so this waits for it first.
  Result<void> IssueFirst(const StepPlan& plan, Deadline deadline);
  Result<void> Launch(const cuda::Graph& graph);
  Result<cuda::Graph> Capture(const StepPlan& plan);
  // Copies an output to `to` once it is there.
  Result<void> CopyOutput(size_t output, const Region& to);

  // Shape of an output after a step with data-dependent ones, drained.
  const Shape& DynamicShape(size_t output) const { return allocators_[output]->shape(); }
  // GPU time of the last step, done.
  Result<std::chrono::nanoseconds> Time() const;

 private:
  enum class Mode { kNow, kInGraph };
  RankRunner(std::unique_ptr<RankEngine> engine, std::shared_ptr<Peers> peers, cuda::Event start,
             cuda::Event end);
  int world_size() const { return peers_ ? peers_->world_size() : 1; }
  size_t InputBytes(const StepShape& shape, size_t input) const;
  template <class Call>
  Result<void> WhileUsable(Call call);
  Result<void> IssueAs(const StepPlan& plan, Mode mode);
  Result<void> Gather(const StepPlan& plan);

  const std::shared_ptr<Peers> peers_;  // outlives the contexts in engine_
  const std::unique_ptr<RankEngine> engine_;
  const cuda::Event start_;
  const cuda::Event end_;
  RankBuffers buffers_;
  std::vector<std::unique_ptr<OutputAllocator>> allocators_;  // [output]
  std::vector<bool> dynamic_;                                 // [output], of the last Bind
};

}  // namespace tessera::engine
