// How a step is issued, beside others where nothing has to be made for it.
#include <algorithm>

#include "tessera/base/log.h"
#include "tessera/engine/step_check.h"
#include "tessera/engine/tensorrt/rank_set.h"

namespace tessera::engine {

RankSet::MaybeOver RankSet::Issue(const Step& step, size_t index, StepQueue& others) {
  StepSlot& slot = *slots_[index];
  // First: the slot of a step that was given up may be in use for ever.
  if (std::optional<Error> failed = failure()) return tl::unexpected<Error>(*std::move(failed));
  slot.Begin(step);
  TRY(CheckStep(step, world_size(), inputs_));
  TRY(CheckShapeValues(step, inputs_));
  TRY(MakeHostRoom(step, slot, others));
  TRY_ASSIGN(const std::shared_ptr<StepPlan> plan, PlanOf(step, slot, others));
  if (plan->captured()) return IssueKnown(plan, step, slot, others);

  TRY(BeAlone(slot, others));
  if (plan->HasDynamicOutputs()) {
    TRY_ASSIGN(StepReport report, RunDynamic(plan, step, slot, others));
    return std::optional(std::move(report));
  }
  TRY(IssueKnown(plan, step, slot, others));
  Result<StepReport> report = Finish(index, slot.deadline);
  if (report) return std::optional(*std::move(report));
  DropPlans();
  return Forward(std::move(report));
}

// Waits for the steps in flight. The time of this one begins when they have ended.
Result<void> RankSet::BeAlone(StepSlot& slot, StepQueue& others) const {
  if (others.idle()) return {};
  TRY(others.AwaitIdle(Deadline::Never()));
  const Deadline own = Deadline::In(slot.limit);
  if (slot.deadline.at() < own.at()) slot.deadline = own;
  if (std::optional<Error> failed = failure()) return tl::unexpected<Error>(*std::move(failed));
  return {};
}

template <class Data>
Result<void> RankSet::MakeHostRoom(const Data& data, StepSlot& slot, StepQueue& others) const {
  if (slot.transfer.HasRoom(data)) return {};
  TRY(BeAlone(slot, others));
  TRY_ASSIGN(const auto quiet, DeviceOrder::OfProcess().Quiet(slot.deadline));
  return slot.transfer.MakeRoom(data);
}

Result<std::shared_ptr<StepPlan>> RankSet::PlanOf(const Step& step, StepSlot& slot, StepQueue& others) {
  if (std::shared_ptr<StepPlan> known = plans_.Find(step, rules_)) return known;
  auto plan = std::make_shared<StepPlan>();
  plan->shape = ShapeOf(step, rules_);
  TRY_ASSIGN(plan->profile, CommonProfile(plan->shape));
  TRY(BeAlone(slot, others));
  TRY(CheckShapes(plan->shape, plan->profile));
  Result<void> bound = BindAll(plan, own_buffers_, slot);
  if (!bound && !failure()) return Forward(std::move(bound));
  if (!bound) return Fatal(bound.error(), others);
  if (Result<void> made = MakePlan(plan, &step, slot); !made) return NotIssued(made.error(), slot, others);
  return plan;
}

// The places are known before a rank starts: an error of the sink costs nothing.
RankSet::MaybeOver RankSet::IssueKnown(const std::shared_ptr<StepPlan>& plan, const Step& step,
                                       StepSlot& slot, StepQueue& others) {
  TRY_ASSIGN(const Places places, slot.transfer.AskSink(step, plan->outputs));
  TRY(MakeHostRoom(places, slot, others));
  if (Result<void> sent = Send(plan, step, places, slot, others); !sent)
    return NotIssued(sent.error(), slot, others);
  return std::optional<StepReport>();
}

Result<void> RankSet::Send(const std::shared_ptr<StepPlan>& plan, const Step& step, const Places& places,
                           StepSlot& slot, StepQueue& others) {
  TRY_ASSIGN(const SlotGraphs* graphs, PickGraphs(plan, step, places, slot, others));
  TRY_ASSIGN(const bool beside, MayGoBeside(*plan, step, places, slot, others));
  slot.times.direct = slot.at.any();
  slot.Lap(slot.times.prepare);
  TRY(slot.transfer.SendInputs(*plan, step, slot.at, beside));
  slot.Lap(slot.times.send);
  TRY(Launch(plan, *graphs, slot));
  slot.Lap(slot.times.launch);
  TRY(slot.transfer.FetchOutputs(places, slot.at, beside));
  slot.completion.Begin();
  for (size_t r = 0; r < runners_.size(); ++r) {
    TRY(slot.completion.End(static_cast<int>(r), slot.transfer.last_stream(r)));
  }
  slot.Lap(slot.times.fetch);
  return {};
}

// Whether this step's copies run while another computes. Without memory for that they do not: no error.
Result<bool> RankSet::MayGoBeside(const StepPlan& plan, const Step& step, const Places& places,
                                  StepSlot& slot, StepQueue& others) {
  if (!beside_ || others.idle()) return false;
  if (slot.transfer.HasSideRoom(plan, step, places, slot.at)) return true;
  TRY(BeAlone(slot, others));
  TRY_ASSIGN(const auto quiet, TakeQuiet(slot));
  for (const auto& each : slots_) {
    const Result<void> made = each->transfer.MakeSideRoom(plan, step, places, slot.at);
    if (made) continue;
    TESSERA_LOG(kWarning, "steps' copies wait for the steps before them from now on: {}",
                made.error().ToString());
    beside_ = false;
    break;
  }
  return false;
}

// The other models' steps are done on these GPUs, if this is to be `alone`.
Result<DeviceOrder::Turn> RankSet::TakeTurn(StepSlot& slot, bool alone) const {
  DeviceOrder& order = DeviceOrder::OfProcess();
  Result<DeviceOrder::Turn> turn =
      alone ? order.EnterAlone(this, streams_, slot.deadline) : order.Enter(this, streams_, slot.deadline);
  slot.kept_out = !turn && turn.error().code == Code::kUnavailable;
  return turn;
}

// No step of the process is half issued while it is held.
Result<std::unique_lock<DeviceOrder::Issuing>> RankSet::TakeQuiet(StepSlot& slot) {
  auto quiet = DeviceOrder::OfProcess().Quiet(slot.deadline);
  slot.kept_out = !quiet;
  return quiet;
}

Result<void> RankSet::Launch(const std::shared_ptr<StepPlan>& plan, const SlotGraphs& graphs,
                             StepSlot& slot) {
  TRY_ASSIGN(DeviceOrder::Turn turn, TakeTurn(slot, false));
  if (!graphs.empty()) {
    TESSERA_LOG(kDebug, "profile {} is launching CUDA graph for inputs {}", plan->profile,
                DescribeInputs(plan->shape));
    // A helper that is stuck keeps what it uses, as in RunAll below. Of these the plan goes last: when the
    // runners go, they wait for what it launched at last.
    return launchers_->Run(
        [plan, &ours = graphs[slot.index], runners = runners_](Rank rank) {
          const auto r = static_cast<size_t>(rank.value());
          return runners[r]->Launch(ours[r]);
        },
        slot.deadline);
  }
  return threads_->RunAll(
      [plan, at = own_buffers_, runners = runners_, index = slot.index](Rank rank) -> Result<void> {
        const auto& runner = runners[static_cast<size_t>(rank.value())];
        std::vector<Shape> outputs;
        TRY(runner->Bind(*plan, at, outputs));  // the context may have been bound to other shapes since
        return runner->Issue(*plan, index);
      },
      slot.deadline, [this](const Error& error) { Abort(error); });
}

// All ranks are done. What cannot go before the deadline goes behind a later step.
void RankSet::DropOutgrown(Deadline deadline) {
  if (std::none_of(runners_.begin(), runners_.end(), [](const auto& one) { return one->has_outgrown(); }))
    return;
  const auto quiet = DeviceOrder::OfProcess().Quiet(deadline);
  if (!quiet) return;
  for (const auto& runner : runners_) runner->DropOutgrown();
}

// The shapes are known when the ranks are done: two waits, with no other step in flight. An error of the sink
// leaves them in step all the same.
Result<StepReport> RankSet::RunDynamic(const std::shared_ptr<StepPlan>& plan, const Step& step,
                                       StepSlot& slot, StepQueue& others) {
  slot.at.Clear();
  slot.times = StepTimes{};
  auto compute = [&]() -> Result<void> {
    slot.Lap(slot.times.prepare);
    TRY(slot.transfer.SendInputs(*plan, step, slot.at, false));
    slot.Lap(slot.times.send);
    TRY(Launch(plan, plan->graphs, slot));
    slot.Lap(slot.times.launch);
    return EndAndWait(slot);
  };
  if (Result<void> computed = compute(); !computed) return NotIssued(computed.error(), slot, others);
  DropOutgrown(slot.deadline);
  OutputShapes shapes = plan->outputs;
  for (size_t r = 0; r < shapes.size(); ++r) {
    for (size_t i = 0; i < shapes[r].size(); ++i) {
      if (!IsStatic(shapes[r][i])) shapes[r][i] = runners_[r]->DynamicShape(i);
    }
  }
  TRY_ASSIGN(const Places places, slot.transfer.AskSink(step, shapes));
  TRY(MakeHostRoom(places, slot, others));
  auto fetch = [&]() -> Result<void> {
    TRY(slot.transfer.FetchOutputs(places, slot.at, false));
    slot.Lap(slot.times.fetch);
    TRY(EndAndWait(slot));
    slot.transfer.Finish();
    slot.Lap(slot.times.wait);
    return {};
  };
  if (Result<void> fetched = fetch(); !fetched) return Fatal(fetched.error(), others);
  return Report(slot);
}

}  // namespace tessera::engine
