// How a shape becomes a plan: memory, a first run on every rank, a graph of each rank.
#include "tessera/base/log.h"
#include "tessera/engine/tensorrt/rank_set.h"

namespace tessera::engine {

Result<int> RankSet::CommonProfile(const StepShape& shape) const {
  TRY_ASSIGN(const int profile, runners_.front()->engine().PickProfile(shape.inputs.front()));
  for (size_t r = 1; r < runners_.size(); ++r) {
    TRY_ASSIGN(const int other, runners_[r]->engine().PickProfile(shape.inputs[r]));
    if (other == profile) continue;
    return Fail(Code::kInvalidArgument, "rank {} takes these shapes with profile {}, rank 0 with {}", r,
                other, profile);
  }
  return profile;
}

Result<std::shared_ptr<StepPlan>> RankSet::MakePlan(StepShape shape, int profile, const Step* step,
                                                    Deadline deadline) {
  // Loading kernels waits for the whole GPU: never between the ranks of another model's step.
  TRY_ASSIGN(DeviceOrder::Turn turn, DeviceOrder::OfProcess().EnterAlone(this, streams_, deadline));
  TRY(MakeRoom(shape));
  auto plan = std::make_shared<StepPlan>();
  plan->shape = std::move(shape);
  plan->profile = profile;
  if (step != nullptr) TRY(transfer_.SendInputs(*plan, *step));
  TRY(RunFirst(plan, deadline));
  if (options_.cuda_graphs && !plan->HasDynamicOutputs()) Capture(plan, deadline);
  if (std::optional<Error> failed = failure()) return tl::unexpected<Error>(*std::move(failed));
  plans_.Keep(plan);
  return plan;
}

Result<void> RankSet::MakeRoom(const StepShape& shape) {
  bool moved = false;
  for (const auto& runner : runners_) {
    TRY_ASSIGN(const bool grown, runner->EnsureInputs(shape));
    moved = moved || grown;
  }
  if (moved) plans_.Clear();
  return {};
}

Result<void> RankSet::RunFirst(const std::shared_ptr<StepPlan>& plan, Deadline deadline) {
  plan->outputs.resize(runners_.size());
  auto moved = std::make_shared<std::vector<char>>(runners_.size());
  TRY(threads_->RunAll(
      [plan, moved, deadline, runners = runners_](Rank rank) -> Result<void> {
        const auto r = static_cast<size_t>(rank.value());
        TRY_ASSIGN(const bool grown, runners[r]->Bind(*plan, plan->outputs[r]));
        (*moved)[r] = grown ? 1 : 0;
        return runners[r]->IssueFirst(*plan, deadline);
      },
      deadline, [this](const Error& error) { Abort(error); }));
  for (const char grown : *moved) {
    if (grown != 0) plans_.Clear();
  }
  return EndAndWait(deadline);
}

// An engine that cannot be captured is no error: the ranks' threads run its steps.
void RankSet::Capture(const std::shared_ptr<StepPlan>& plan, Deadline deadline) {
  auto graphs = std::make_shared<std::vector<std::optional<cuda::Graph>>>(runners_.size());
  const Result<void> captured = threads_->RunAll(
      [plan, graphs, runners = runners_](Rank rank) -> Result<void> {
        const auto r = static_cast<size_t>(rank.value());
        TRY_ASSIGN((*graphs)[r], runners[r]->Capture(*plan));
        return {};
      },
      deadline);
  if (!captured) {
    TESSERA_LOG(kWarning, "this shape runs without CUDA graphs, which costs about 20 us a step: {}",
                captured.error().ToString());
    return;
  }
  for (std::optional<cuda::Graph>& graph : *graphs) plan->graphs.push_back(*std::move(graph));
}

Result<void> RankSet::WarmUp(Deadline deadline) {
  for (int profile = 0; profile < runners_.front()->engine().profile_count(); ++profile) {
    StepShape shape;
    for (const auto& runner : runners_) {
      TRY_ASSIGN(std::vector<Shape> optimal, runner->engine().OptimalShapes(profile));
      shape.inputs.push_back(std::move(optimal));
    }
    shape.replication.assign(inputs_.size(), Replication::kCopies);
    auto made = MakePlan(std::move(shape), profile, nullptr, deadline);
    if (!made) return Fatal(made.error());
  }
  return {};
}

}  // namespace tessera::engine
