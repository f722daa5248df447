#include "tessera/engine/tensorrt/rank_set.h"

#include <tuple>
#include <utility>

#include "tessera/base/cores.h"
#include "tessera/base/log.h"
#include "tessera/cuda/device.h"
#include "tessera/cuda/status.h"
#include "tessera/engine/tensorrt/let_go.h"

namespace tessera::engine {
namespace {

std::vector<TensorSpec> SpecsOf(const std::vector<TensorInfo>& infos) {
  std::vector<TensorSpec> specs;
  for (const TensorInfo& info : infos) specs.push_back(info.spec);
  return specs;
}

std::vector<DeviceId> DevicesOf(const std::vector<std::shared_ptr<RankRunner>>& runners) {
  std::vector<DeviceId> devices;
  for (const auto& runner : runners) devices.push_back(runner->stream().device());
  return devices;
}

Result<std::unique_ptr<LaunchTeam>> MakeLaunchers(const std::vector<std::shared_ptr<RankRunner>>& runners,
                                                  const TensorRtOptions& options) {
  const int ranks = static_cast<int>(runners.size());
  return LaunchTeam::Create(ranks,
                            {options.launch_helpers.value_or(LaunchTeam::HelpersFor(ranks, UsableCores()))},
                            [devices = DevicesOf(runners)](Rank rank) -> Result<void> {
                              CUDA_TRY(cudaSetDevice(devices[static_cast<size_t>(rank.value())].value()));
                              return {};
                            });
}

}  // namespace

Result<std::unique_ptr<RankSet>> RankSet::Create(std::vector<std::shared_ptr<RankRunner>> runners,
                                                 std::shared_ptr<Peers> peers,
                                                 std::unique_ptr<RankThreads> threads,
                                                 const GatherSizes& gather, const TensorRtOptions& options) {
  // Else CUDA would make a context on GPU 0 for a thread that never used another.
  TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(runners.front()->stream().device()));
  TRY_ASSIGN(std::unique_ptr<LaunchTeam> launchers, MakeLaunchers(runners, options));
  std::unique_ptr<RankSet> set(new RankSet(std::move(runners), std::move(peers), std::move(threads),
                                           std::move(launchers), gather, options));
  TRY(set->MakeSlots());
  return set;
}

RankSet::RankSet(std::vector<std::shared_ptr<RankRunner>> runners, std::shared_ptr<Peers> peers,
                 std::unique_ptr<RankThreads> threads, std::unique_ptr<LaunchTeam> launchers,
                 const GatherSizes& gather, const TensorRtOptions& options)
    : options_(options),
      peers_(std::move(peers)),
      runners_(std::move(runners)),
      inputs_(SpecsOf(runners_.front()->engine().tensors().inputs)),
      outputs_(SpecsOf(runners_.front()->engine().tensors().outputs)),
      rules_{gather, DevicesOf(runners_), inputs_},
      own_buffers_(runners_.size(), inputs_.size(), outputs_.size()),
      plans_(options.max_plans),
      threads_(std::move(threads)),
      launchers_(std::move(launchers)) {
  for (const auto& runner : runners_) streams_.push_back(&runner->stream());
}

Result<void> RankSet::MakeSlots() {
  TRY_ASSIGN(const auto quiet, DeviceOrder::OfProcess().Quiet());
  for (size_t slot = 0; slot < static_cast<size_t>(options_.steps_in_flight); ++slot) {
    TRY_ASSIGN(StepCompletion completion, StepCompletion::Create(world_size()));
    TRY_ASSIGN(StepTransfer transfer, StepTransfer::Create(runners_));
    slots_.push_back(
        std::make_unique<StepSlot>(slot, std::move(transfer), std::move(completion), own_buffers_));
  }
  return {};
}

RankSet::~RankSet() {
  // All ranks', or nothing: to free what one of them has, CUDA waits for its peers' GPUs, too.
  auto all = std::make_tuple(std::move(plans_), std::move(slots_), runners_);
  if (DeviceOrder::OfProcess().Leave(this)) {
    LetGo(std::move(all), AllStreams());
    return;
  }
  TESSERA_LOG(kError, "memory of a model is left behind: another model's work on its GPUs does not end");
  LeaveBehind(std::move(all));
}

// Of the ranks' work and of the copies beside it.
std::vector<const cuda::Stream*> RankSet::AllStreams() const {
  std::vector<const cuda::Stream*> all = streams_;
  for (const auto& runner : runners_) {
    if (const CopyLanes* lanes = runner->lanes()) all.insert(all.end(), {&lanes->in, &lanes->out});
  }
  return all;
}

Result<StepReport> RankSet::Run(const Step& step, StepQueue& others) {
  TRY_ASSIGN(std::optional<StepReport> over, Issue(step, 0, others));
  if (over) return *std::move(over);
  Result<StepReport> report = Finish(0, step.deadline);
  if (!report) DropPlans();
  return report;
}

Result<void> RankSet::Await(size_t slot, Deadline deadline) {
  Result<void> ended = Wait(*slots_[slot], deadline);
  if (!ended) return Failed(ended.error());
  return ended;
}

Result<StepReport> RankSet::Collect(size_t slot) {
  StepSlot& ours = *slots_[slot];
  ours.transfer.Finish();
  ours.Lap(ours.times.wait);
  Result<StepReport> report = Report(ours);
  if (!report) return Failed(report.error());
  return report;
}

Result<StepReport> RankSet::Finish(size_t slot, Deadline deadline) {
  TRY(Await(slot, deadline));
  return Collect(slot);
}

// Of all that was issued to the ranks' streams.
Result<void> RankSet::EndAndWait(StepSlot& slot) {
  slot.completion.Begin();
  for (size_t r = 0; r < streams_.size(); ++r) {
    TRY(slot.completion.End(static_cast<int>(r), *streams_[r]));
  }
  return Wait(slot, slot.deadline);
}

// Collectives that were aborted end, too, with whatever they have.
Result<void> RankSet::Wait(const StepSlot& slot, Deadline deadline) const {
  TRY(slot.completion.Wait(streams_, deadline, [this] { return CheckAlive(); }));
  if (std::optional<Error> failed = failure()) return tl::unexpected<Error>(*std::move(failed));
  return {};
}

Result<StepReport> RankSet::Report(StepSlot& slot) const {
  StepReport report;
  report.rank_time.reserve(runners_.size());
  for (const auto& runner : runners_) {
    TRY_ASSIGN(const std::chrono::nanoseconds time, runner->Time(slot.index));
    report.rank_time.push_back(time);
  }
  slot.Lap(slot.times.report);
  return report;
}

Result<void> RankSet::CheckAlive() const {
  if (std::optional<Error> failed = failure()) return tl::unexpected<Error>(*std::move(failed));
  return peers_ ? peers_->Poll() : Result<void>();
}

void RankSet::Abort(const Error& reason) noexcept {
  {
    MutexLock lock(mutex_);
    if (failure_) return;
    failure_ = reason;
  }
  if (peers_) peers_->Abort(reason);
}

std::optional<Error> RankSet::failure() const {
  MutexLock lock(mutex_);
  return failure_;
}

// Sees to it that nothing touches a step's memory any more.
void RankSet::Drain(const Error& reason) {
  const Deadline deadline = [this] {
    MutexLock lock(mutex_);
    if (!drained_by_) drained_by_ = Deadline::In(kDrainLimit);  // for all steps in flight together
    return *drained_by_;
  }();
  for (size_t r = 0; r < runners_.size(); ++r) {
    const CopyLanes* lanes = runners_[r]->lanes();
    for (const cuda::Stream* stream :
         {streams_[r], lanes ? &lanes->in : nullptr, lanes ? &lanes->out : nullptr}) {
      if (stream == nullptr) continue;
      const Result<void> drained = stream->Drain(deadline);
      if (!drained) TESSERA_LOG(kError, "rank {} after '{}': {}", r, reason.message, drained.error().message);
    }
  }
}

// NCCL ends an aborted communicator when its graphs are gone. What it allotted for one that runs would be
// freed under it, on a GPU that hangs for ever: those go with this, or stay.
void RankSet::DropPlans() {
  for (const cuda::Stream* stream : AllStreams()) {
    if (const Result<bool> idle = stream->Idle(); idle && !*idle) return;
  }
  plans_.Clear();
}

// Ranks may be out of step: gets them out of their collectives.
tl::unexpected<Error> RankSet::Failed(const Error& reason) {
  Abort(reason);
  Drain(reason);
  return tl::unexpected<Error>(*failure());
}

// The same for whoever issues: the steps in flight fail as well.
tl::unexpected<Error> RankSet::Fatal(const Error& reason, StepQueue& others) {
  Abort(reason);
  (void)others.AwaitIdle(Deadline::Never());
  Drain(reason);
  DropPlans();
  return tl::unexpected<Error>(*failure());
}

// A step that other models' work kept from the GPUs until its deadline costs itself: what it has copied there
// ends, and none of the ranks has begun. All else is fatal.
tl::unexpected<Error> RankSet::NotIssued(const Error& reason, const StepSlot& slot, StepQueue& others) {
  if (!slot.kept_out) return Fatal(reason, others);
  (void)others.AwaitIdle(Deadline::Never());
  const Deadline deadline = Deadline::In(kDrainLimit);
  for (const cuda::Stream* stream : AllStreams()) {
    if (!stream->Drain(deadline)) return Fatal(reason, others);
  }
  return tl::unexpected<Error>(reason);
}

}  // namespace tessera::engine
