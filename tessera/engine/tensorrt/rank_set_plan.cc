// How a shape becomes a plan: memory, a first run on every rank, a graph of each rank.
#include <algorithm>

#include "tessera/base/log.h"
#include "tessera/cuda/device.h"
#include "tessera/engine/tensorrt/laps.h"
#include "tessera/engine/tensorrt/rank_set.h"

namespace tessera::engine {
namespace {

constexpr std::chrono::milliseconds kLeastWarmUp{10'000};

}  // namespace

Result<int> RankSet::CommonProfile(const StepShape& shape) const {
  TRY_ASSIGN(const int profile, runners_.front()->engine().PickProfile(shape.inputs.front(), shape.values));
  for (size_t r = 1; r < runners_.size(); ++r) {
    TRY_ASSIGN(const int other, runners_[r]->engine().PickProfile(shape.inputs[r], shape.values));
    if (other == profile) continue;
    return Fail(Code::kInvalidArgument, "rank {} takes these shapes with profile {}, rank 0 with {}", r,
                other, profile);
  }
  return profile;
}

// Shapes that do not go together are the request's fault: found before a rank starts, they cost nothing.
Result<void> RankSet::CheckShapes(const StepShape& shape, int profile) {
  for (size_t r = 0; r < runners_.size(); ++r) {
    TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(streams_[r]->device()));
    const auto outputs = runners_[r]->engine().InferShapes(profile, shape.inputs[r], shape.values);
    if (!outputs) return Fail(Code::kInvalidArgument, "{}", outputs.error().message);
  }
  return {};
}

std::vector<Shape> RankSet::LargestInputs() const {
  std::vector<Shape> common = runners_.front()->engine().LargestShapes();
  for (const auto& runner : runners_) {
    const std::vector<Shape> own = runner->engine().LargestShapes();
    for (size_t i = 0; i < common.size(); ++i) {
      for (size_t d = 0; d < common[i].size(); ++d) common[i][d] = std::min(common[i][d], own[i][d]);
    }
  }
  return common;
}

// None of an engine that reads values of its inputs on the host: it may want values, not only sizes.
std::vector<Shape> RankSet::UsualInputs() const {
  if (std::any_of(inputs_.begin(), inputs_.end(), [](const TensorSpec& input) { return input.on_host; }))
    return {};
  return runners_.front()->engine().OptimalShapes(0).value_or(std::vector<Shape>());
}

// No step is in flight here and below: graphs are made and dropped, memory moves. `plan` is bound.
Result<void> RankSet::MakePlan(const std::shared_ptr<StepPlan>& plan, const Step* step, StepSlot& slot) {
  Laps laps;
  // Loading kernels waits for the whole GPU: never between the ranks of another model's step.
  TRY_ASSIGN(DeviceOrder::Turn turn, TakeTurn(slot, true));
  laps.Add("waiting for its turn");
  if (step != nullptr) TRY(slot.transfer.SendInputs(*plan, *step, own_buffers_, false));
  TRY(RunFirst(plan, slot));
  laps.Add("first run");
  if (options_.cuda_graphs && !plan->HasDynamicOutputs() && !plan->ReadsHost()) {
    if (std::optional<SlotGraphs> graphs = Capture(plan, slot.deadline)) {
      plan->graphs = *std::move(graphs);
      TESSERA_LOG(kDebug, "captured CUDA graph for {} ranks, profile {}, inputs {}", world_size(),
                  plan->profile, DescribeInputs(plan->shape));
    }
  }
  if (std::optional<Error> failed = failure()) return tl::unexpected<Error>(*std::move(failed));
  laps.Add("capture");
  TESSERA_LOG(kDebug, "a shape is ready, ms: {}", laps.text());
  plans_.Keep(plan);
  return {};
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

// Binds the step on every rank, where that makes larger memory as well. What went before is freed then, for
// which CUDA waits for the GPU and for its peers: so no step is half issued meanwhile, of this model neither.
// A step that there is no memory for is the request's fault: nothing was issued, the ranks stay usable.
Result<void> RankSet::BindAll(const std::shared_ptr<StepPlan>& plan, const StepAddresses& at,
                              StepSlot& slot) {
  TRY_ASSIGN(const auto quiet, TakeQuiet(slot));
  Result<void> bound = MakeRoom(plan->shape);
  if (bound) bound = BindRanks(plan, at, slot);
  if (bound) return bound;
  if (bound.error().code == Code::kUnavailable && !slot.deadline.passed()) {
    DropBuffers();
  } else {
    Abort(bound.error());  // an engine is in doubt, or a rank's thread is still at it
  }
  return bound;
}

// With what was made for the step: it would be in the way of others'.
void RankSet::DropBuffers() {
  plans_.Clear();
  for (const auto& runner : runners_) runner->DropBuffers();
}

Result<void> RankSet::BindRanks(const std::shared_ptr<StepPlan>& plan, const StepAddresses& at,
                                StepSlot& slot) {
  plan->outputs.resize(runners_.size());
  auto moved = std::make_shared<std::vector<char>>(runners_.size());
  TRY(threads_->RunAll(
      [plan, at, moved, runners = runners_](Rank rank) -> Result<void> {
        const auto r = static_cast<size_t>(rank.value());
        TRY_ASSIGN(const bool grown, runners[r]->Bind(*plan, at, plan->outputs[r]));
        (*moved)[r] = grown ? 1 : 0;
        return {};
      },
      slot.deadline));
  if (std::any_of(moved->begin(), moved->end(), [](char grown) { return grown != 0; })) plans_.Clear();
  return {};
}

Result<void> RankSet::RunFirst(const std::shared_ptr<StepPlan>& plan, StepSlot& slot) {
  TRY(threads_->RunAll(
      [plan, deadline = slot.deadline, runners = runners_](Rank rank) {
        return runners[static_cast<size_t>(rank.value())]->IssueFirst(*plan, deadline);
      },
      slot.deadline, [this](const Error& error) { Abort(error); }));
  return EndAndWait(slot);
}

// Of what was bound last. An engine that cannot be captured is no error: the ranks' threads run its steps.
std::optional<SlotGraphs> RankSet::Capture(const std::shared_ptr<StepPlan>& plan, Deadline deadline) {
  auto graphs = std::make_shared<std::vector<Graphs>>(runners_.size());  // [rank][slot]
  const Result<void> captured = threads_->RunAll(
      [plan, graphs, runners = runners_](Rank rank) -> Result<void> {
        const auto r = static_cast<size_t>(rank.value());
        TRY_ASSIGN((*graphs)[r], runners[r]->Capture(*plan));
        return {};
      },
      deadline);
  if (!captured) {
    TESSERA_LOG(kWarning, "a step is not captured as CUDA graphs, which costs it about 10 us: {}",
                captured.error().ToString());
    return std::nullopt;
  }
  SlotGraphs by_slot(slots_.size());
  for (Graphs& of_rank : *graphs) {
    for (size_t slot = 0; slot < by_slot.size(); ++slot) by_slot[slot].push_back(std::move(of_rank[slot]));
  }
  return by_slot;
}

// The graphs that a step is launched with; slot.at becomes what they use in place.
Result<const SlotGraphs*> RankSet::PickGraphs(const std::shared_ptr<StepPlan>& plan, const Step& step,
                                              const Places& places, StepSlot& slot, StepQueue& others) {
  slot.at.Clear();
  if (!plan->captured() || plan->direct.given_up()) return &plan->graphs;
  slot.transfer.FindDirect(*plan, step, places, slot.at);
  if (!slot.at.any()) return &plan->graphs;
  const CapturedStep* direct = plan->direct.Find(slot.at);
  if (direct == nullptr && plan->direct.Seen(slot.at)) {
    TRY(BeAlone(slot, others));
    TRY_ASSIGN(direct, CaptureDirect(plan, step, slot));
  }
  if (direct != nullptr) return &direct->graphs;
  slot.at.Clear();
  return &plan->graphs;
}

// Runs the step once, as TensorRT wants it before a capture: its answer is the one that the launch then gives
// again. Null: it cannot be captured.
Result<const CapturedStep*> RankSet::CaptureDirect(const std::shared_ptr<StepPlan>& plan, const Step& step,
                                                   StepSlot& slot) {
  TRY(BindAll(plan, slot.at, slot));
  TRY_ASSIGN(DeviceOrder::Turn turn, TakeTurn(slot, true));
  TRY(slot.transfer.SendInputs(*plan, step, slot.at, false));
  TRY(RunFirst(plan, slot));
  std::optional<SlotGraphs> graphs = Capture(plan, slot.deadline);
  if (std::optional<Error> failed = failure()) return tl::unexpected<Error>(*std::move(failed));
  if (!graphs) {
    plan->direct.GiveUp();
    return nullptr;
  }
  return plan->direct.Keep(CapturedStep{slot.at, *std::move(graphs)});
}

Result<void> RankSet::WarmUp(Deadline deadline) {
  for (int profile = 0; profile < runners_.front()->engine().profile_count(); ++profile) {
    StepShape shape;
    for (const auto& runner : runners_) {
      TRY_ASSIGN(std::vector<Shape> optimal, runner->engine().OptimalShapes(profile));
      shape.inputs.push_back(std::move(optimal));
    }
    for (const TensorSpec& input : inputs_) {
      shape.replication.push_back(input.on_host ? Replication::kOnHost : Replication::kCopies);
    }
    shape.values = runners_.front()->engine().OptimalValues(profile);
    StepSlot& slot = *slots_.front();
    slot.deadline = Sooner(deadline, Deadline::In(std::max(options_.step_limit, kLeastWarmUp)));
    auto plan = std::make_shared<StepPlan>();
    plan->shape = std::move(shape);
    plan->profile = profile;
    Result<void> made = BindAll(plan, own_buffers_, slot);
    if (made) made = MakePlan(plan, nullptr, slot);
    if (!made) return Failed(made.error());
  }
  return {};
}

}  // namespace tessera::engine
