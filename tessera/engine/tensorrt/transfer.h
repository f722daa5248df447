// A step's data on its way to the ranks and back.
#pragma once

#include <memory>
#include <vector>

#include "tessera/engine/rank_group.h"
#include "tessera/engine/tensorrt/host_stage.h"
#include "tessera/engine/tensorrt/rank_runner.h"

namespace tessera::engine {

// Where outputs go: [rank][output]; no data: not wanted.
using Places = std::vector<std::vector<Region>>;
using OutputShapes = std::vector<std::vector<Shape>>;

// Of one step at a time. "Beside" means: while the step before computes; only where SideCopies pay.
class StepTransfer {
 public:
  using Runners = std::vector<std::shared_ptr<RankRunner>>;

  // `runners` outlive this. Copies go beside if the runners have lanes for that.
  static Result<StepTransfer> Create(const Runners& runners);

  // Whether the pinned memory suffices for a step's inputs, or for outputs at `places`; and makes it so.
  bool HasRoom(const Step& step) const;
  bool HasRoom(const Places& places) const;
  Result<void> MakeRoom(const Step& step);
  Result<void> MakeRoom(const Places& places);

  // Whether there is memory on the GPUs to copy a step beside another; and makes it, while no step is in
  // flight.
  bool HasSideRoom(const StepPlan& plan, const Step& step, const Places& places, const StepAddresses& at);
  Result<void> MakeSideRoom(const StepPlan& plan, const Step& step, const Places& places,
                            const StepAddresses& at);

  // Fills `at` with the memory of this step that ranks can use in place: dense, on their GPU, aligned as
  // engines want it, and no output over an input. Inputs to be gathered are none.
  void FindDirect(const StepPlan& plan, const Step& step, const Places& places, StepAddresses& at) const;

  // Issues the copies of every rank's inputs, but for those in `at`, to its stream, or `beside`; there is
  // room. Pageable memory is read before this returns.
  Result<void> SendInputs(const StepPlan& plan, const Step& step, const StepAddresses& at, bool beside);

  // Asks the sink for the places of outputs of these shapes, and checks them. The sink's error is the step's.
  Result<Places> AskSink(const Step& step, const OutputShapes& shapes) const;

  // Issues the copies of the wanted outputs, but for those in `at`; there is room.
  Result<void> FetchOutputs(const Places& places, const StepAddresses& at, bool beside);
  // The stream with the last work of `rank` for this step.
  const cuda::Stream& last_stream(size_t rank) const { return *last_streams_[rank]; }
  // Once that work is done: the outputs are where they were wanted.
  void Finish() { outbound_.Finish(); }

 private:
  explicit StepTransfer(const Runners& runners) : runners_(&runners), last_streams_(runners.size()) {}
  template <class Visit>
  Result<void> VisitInputs(const StepPlan& plan, const Step& step, const StepAddresses& at, Visit visit);
  template <class Visit>
  Result<void> VisitOutputs(const Places& places, const StepAddresses& at, Visit visit);

  const Runners* runners_;
  HostStage inbound_;
  HostStage outbound_;
  std::vector<SideCopies> sides_;  // [rank]; empty: nothing goes beside
  std::vector<const cuda::Stream*> last_streams_;
};

}  // namespace tessera::engine
