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

class StepTransfer {
 public:
  explicit StepTransfer(const std::vector<std::shared_ptr<RankRunner>>& runners) : runners_(runners) {}

  // Whether the pinned memory suffices for a step's inputs, or for outputs at `places`; and makes it so.
  bool HasRoom(const Step& step) const;
  bool HasRoom(const Places& places) const;
  Result<void> MakeRoom(const Step& step);
  Result<void> MakeRoom(const Places& places);

  // Fills `at` with the memory of this step that ranks can use in place: dense, on their GPU, aligned as
  // engines want it, and no output over an input. Inputs to be gathered are none.
  void FindDirect(const StepPlan& plan, const Step& step, const Places& places, StepAddresses& at) const;

  // Issues the copies of every rank's inputs, but for those in `at`, to its stream; there is room. Pageable
  // memory is read before this returns.
  Result<void> SendInputs(const StepPlan& plan, const Step& step, const StepAddresses& at);

  // Asks the sink for the places of outputs of these shapes, and checks them. The sink's error is the step's.
  Result<Places> AskSink(const Step& step, const OutputShapes& shapes) const;

  // Issues the copies of the wanted outputs, but for those in `at`; there is room.
  Result<void> FetchOutputs(const Places& places, const StepAddresses& at);
  // Once the streams are drained: the outputs are where they were wanted.
  void Finish() { outbound_.Finish(); }

 private:
  const std::vector<std::shared_ptr<RankRunner>>& runners_;
  HostStage inbound_;
  HostStage outbound_;
};

}  // namespace tessera::engine
