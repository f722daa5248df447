// One rank at work: its engine, its memory, and what it issues to its stream in a step.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "tessera/cuda/event.h"
#include "tessera/cuda/graph.h"
#include "tessera/engine/tensorrt/output_allocator.h"
#include "tessera/engine/tensorrt/peers.h"
#include "tessera/engine/tensorrt/rank_buffers.h"
#include "tessera/engine/tensorrt/rank_engine.h"
#include "tessera/engine/tensorrt/side_copies.h"
#include "tessera/engine/tensorrt/step_plan.h"

namespace tessera::engine {

// Not thread-safe: the rank's own thread while a plan is prepared or a step runs uncaptured, else whoever
// runs the step.
class RankRunner {
 public:
  // `peers` is null for a single rank. As many steps as there are `slots` may be in flight.
  static Result<std::shared_ptr<RankRunner>> Create(std::unique_ptr<RankEngine> engine,
                                                    std::shared_ptr<Peers> peers, size_t slots);
  ~RankRunner();
  RankRunner(const RankRunner&) = delete;
  RankRunner& operator=(const RankRunner&) = delete;

  RankEngine& engine() { return *engine_; }
  const cuda::Stream& stream() const { return engine_->stream(); }
  // Null: no step runs beside another.
  const CopyLanes* lanes() const { return lanes_ ? &*lanes_ : nullptr; }

  // Room for the inputs of `shape`. True: memory moved, so every captured graph is void. Errors: kUnavailable
  // (the line names the tensor that the GPU lacks memory for); graphs are void then as well.
  Result<bool> EnsureInputs(const StepShape& shape);
  // Binds shapes and addresses (its own buffers' where `at` has no memory), tells the outputs' shapes and
  // makes room for them. True, and errors, as above.
  Result<bool> Bind(const StepPlan& plan, const StepAddresses& at, std::vector<Shape>& outputs);
  // Gives the memory of all inputs and outputs back: every captured graph is void.
  void DropBuffers();

  // What this rank copies of an input - all, or its part of a gathered one - and where to.
  struct Inbound {
    ConstRegion from;
    std::byte* to;
  };
  Inbound InputPart(const StepPlan& plan, size_t input, const ConstRegion& whole) const;
  // Copies that. `from` must be reachable by the GPU at full speed (pinned or device) and stay until the step
  // is done.
  Result<void> CopyInput(const Inbound& part) const;
  // Issues gathering and inference of the step in `slot`; in a captured plan that is one launch.
  Result<void> Issue(const StepPlan& plan, size_t slot);
  // The same for a shape that never ran. The engine allocates and loads kernels then, for which CUDA may wait
  // until a gathering in front is done: so this waits for it first.
  Result<void> IssueFirst(const StepPlan& plan, Deadline deadline);
  Result<void> Launch(const cuda::Graph& graph);
  // A graph for each slot.
  Result<Graphs> Capture(const StepPlan& plan);
  // Where the engine leaves an output.
  const std::byte* OutputAt(size_t output) const {
    return dynamic_[output] ? allocators_[output]->data() : buffers_.output(output);
  }
  // Copies an output to `to` once it is there.
  Result<void> CopyOutput(size_t output, const Region& to) const;

  // Shape of an output after a step with data-dependent ones, drained.
  const Shape& DynamicShape(size_t output) const { return allocators_[output]->shape(); }
  // Of such outputs' memory: see OutputAllocator.
  bool has_outgrown() const;
  void DropOutgrown();
  // GPU time of the last step in `slot`, done. Any thread.
  Result<std::chrono::nanoseconds> Time(size_t slot) const;

 private:
  enum class Mode { kNow, kInGraph };
  // A step's, on the GPU.
  struct Times {
    cuda::Event start;
    cuda::Event end;
  };
  RankRunner(std::unique_ptr<RankEngine> engine, std::shared_ptr<Peers> peers, std::vector<Times> times,
             std::optional<CopyLanes> lanes);
  int world_size() const { return peers_ ? peers_->world_size() : 1; }
  size_t InputBytes(const StepShape& shape, size_t input) const;
  template <class Call>
  Result<void> WhileUsable(Call call);
  Result<void> IssueAs(const StepPlan& plan, const Times& times, Mode mode);
  Result<void> Gather(const StepPlan& plan);

  const std::shared_ptr<Peers> peers_;  // outlives the contexts in engine_
  const std::unique_ptr<RankEngine> engine_;
  const std::vector<Times> times_;  // [slot]
  const std::optional<CopyLanes> lanes_;
  RankBuffers buffers_;
  std::vector<std::unique_ptr<OutputAllocator>> allocators_;  // [output]
  std::vector<bool> dynamic_;                                 // [output], of the last Bind
};

}  // namespace tessera::engine
