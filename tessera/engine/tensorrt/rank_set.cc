#include "tessera/engine/tensorrt/rank_set.h"

#include <thread>
#include <utility>

#include "tessera/base/log.h"
#include "tessera/cuda/status.h"
#include "tessera/engine/step_check.h"
#include "tessera/engine/tensorrt/let_go.h"

namespace tessera::engine {
namespace {

std::vector<TensorSpec> SpecsOf(const std::vector<TensorInfo>& infos) {
  std::vector<TensorSpec> specs;
  for (const TensorInfo& info : infos) specs.push_back(info.spec);
  return specs;
}

Result<std::unique_ptr<LaunchTeam>> MakeLaunchers(const std::vector<std::shared_ptr<RankRunner>>& runners,
                                                  const TensorRtOptions& options) {
  const int ranks = static_cast<int>(runners.size());
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  std::vector<DeviceId> devices;
  for (const auto& runner : runners) devices.push_back(runner->stream().device());
  return LaunchTeam::Create(ranks, {options.launch_helpers.value_or(LaunchTeam::HelpersFor(ranks, cores))},
                            [devices](Rank rank) -> Result<void> {
                              CUDA_TRY(cudaSetDevice(devices[static_cast<size_t>(rank.value())].value()));
                              return {};
                            });
}

}  // namespace

Result<std::unique_ptr<RankSet>> RankSet::Create(std::vector<std::shared_ptr<RankRunner>> runners,
                                                 std::shared_ptr<Peers> peers,
                                                 std::unique_ptr<RankThreads> threads,
                                                 const TensorRtOptions& options) {
  TRY_ASSIGN(StepCompletion completion, StepCompletion::Create(static_cast<int>(runners.size())));
  TRY_ASSIGN(std::unique_ptr<LaunchTeam> launchers, MakeLaunchers(runners, options));
  return std::unique_ptr<RankSet>(new RankSet(std::move(runners), std::move(peers), std::move(threads),
                                              std::move(launchers), options, std::move(completion)));
}

RankSet::RankSet(std::vector<std::shared_ptr<RankRunner>> runners, std::shared_ptr<Peers> peers,
                 std::unique_ptr<RankThreads> threads, std::unique_ptr<LaunchTeam> launchers,
                 const TensorRtOptions& options, StepCompletion completion)
    : options_(options),
      peers_(std::move(peers)),
      runners_(std::move(runners)),
      inputs_(SpecsOf(runners_.front()->engine().tensors().inputs)),
      outputs_(SpecsOf(runners_.front()->engine().tensors().outputs)),
      rules_{peers_ ? options.gather_from : SIZE_MAX, inputs_},
      own_buffers_(runners_.size(), inputs_.size(), outputs_.size()),
      at_(own_buffers_),
      transfer_(runners_),
      completion_(std::move(completion)),
      plans_(options.max_plans),
      threads_(std::move(threads)),
      launchers_(std::move(launchers)) {
  for (const auto& runner : runners_) streams_.push_back(&runner->stream());
}

RankSet::~RankSet() {
  DeviceOrder::OfProcess().Leave(this);
}

Result<StepReport> RankSet::Run(const Step& step) {
  lap_ = std::chrono::steady_clock::now();
  if (std::optional<Error> failed = failure()) return tl::unexpected<Error>(*std::move(failed));
  TRY(CheckStep(step, world_size(), inputs_));
  TRY(CheckShapeValues(step, inputs_));
  TRY(MakeHostRoom(step));
  TRY_ASSIGN(std::shared_ptr<StepPlan> plan, PlanOf(step));
  return plan->HasDynamicOutputs() ? RunDynamic(plan, step) : RunKnown(plan, step);
}

template <class Data>
Result<void> RankSet::MakeHostRoom(const Data& data) {
  if (transfer_.HasRoom(data)) return {};
  const std::unique_lock quiet = DeviceOrder::OfProcess().Quiet();
  return transfer_.MakeRoom(data);
}

Result<std::shared_ptr<StepPlan>> RankSet::PlanOf(const Step& step) {
  if (std::shared_ptr<StepPlan> known = plans_.Find(step, rules_)) return known;
  StepShape shape = ShapeOf(step, rules_);
  TRY_ASSIGN(const int profile, CommonProfile(shape));
  TRY(CheckShapes(shape, profile));
  auto made = MakePlan(std::move(shape), profile, &step, step.deadline);
  if (!made) return Fatal(made.error());
  return made;
}

// The places are known before a rank starts: an error of the sink costs nothing.
Result<StepReport> RankSet::RunKnown(const std::shared_ptr<StepPlan>& plan, const Step& step) {
  TRY_ASSIGN(const Places places, transfer_.AskSink(step, plan->outputs));
  TRY(MakeHostRoom(places));
  auto run = [&]() -> Result<StepReport> {
    TRY_ASSIGN(const Graphs* graphs, PickGraphs(plan, step, places));
    times_.direct = at_.any();
    Lap(times_.prepare);
    TRY(transfer_.SendInputs(*plan, step, at_));
    Lap(times_.send);
    TRY(Launch(plan, *graphs, step.deadline));
    Lap(times_.launch);
    TRY(FetchAndWait(places, step.deadline));
    return Report();
  };
  Result<StepReport> report = run();
  if (!report) return Fatal(report.error());
  return report;
}

// The shapes are known when the ranks are done: two waits. An error of the sink leaves them in step all the
// same.
Result<StepReport> RankSet::RunDynamic(const std::shared_ptr<StepPlan>& plan, const Step& step) {
  at_.Clear();
  times_ = StepTimes{};
  auto compute = [&]() -> Result<void> {
    Lap(times_.prepare);
    TRY(transfer_.SendInputs(*plan, step, at_));
    Lap(times_.send);
    TRY(Launch(plan, plan->graphs, step.deadline));
    Lap(times_.launch);
    return EndAndWait(step.deadline);
  };
  if (Result<void> computed = compute(); !computed) return Fatal(computed.error());
  OutputShapes shapes = plan->outputs;
  for (size_t r = 0; r < shapes.size(); ++r) {
    for (size_t i = 0; i < shapes[r].size(); ++i) {
      if (!IsStatic(shapes[r][i])) shapes[r][i] = runners_[r]->DynamicShape(i);
    }
  }
  TRY_ASSIGN(const Places places, transfer_.AskSink(step, shapes));
  TRY(MakeHostRoom(places));
  if (Result<void> fetched = FetchAndWait(places, step.deadline); !fetched) return Fatal(fetched.error());
  return Report();
}

Result<void> RankSet::Launch(const std::shared_ptr<StepPlan>& plan, const Graphs& graphs, Deadline deadline) {
  TRY_ASSIGN(DeviceOrder::Turn turn, DeviceOrder::OfProcess().Enter(this, streams_));
  if (!graphs.empty()) {
    // A helper that is stuck keeps what it uses, as in RunAll below.
    return launchers_->Run(
        [plan, &graphs, runners = runners_](Rank rank) {
          const auto r = static_cast<size_t>(rank.value());
          return runners[r]->Launch(graphs[r]);
        },
        deadline);
  }
  return threads_->RunAll(
      [plan, at = own_buffers_, runners = runners_](Rank rank) -> Result<void> {
        const auto& runner = runners[static_cast<size_t>(rank.value())];
        std::vector<Shape> outputs;
        TRY(runner->Bind(*plan, at, outputs));  // the context may have been bound to other shapes since
        return runner->Issue(*plan);
      },
      deadline, [this](const Error& error) { Abort(error); });
}

Result<void> RankSet::FetchAndWait(const Places& places, Deadline deadline) {
  TRY(transfer_.FetchOutputs(places, at_));
  TRY(EndAndWait(deadline));
  transfer_.Finish();
  Lap(times_.wait);
  return {};
}

Result<void> RankSet::EndAndWait(Deadline deadline) {
  completion_.Begin();
  for (size_t r = 0; r < streams_.size(); ++r) TRY(completion_.End(static_cast<int>(r), *streams_[r]));
  Lap(times_.fetch);
  return completion_.Wait(streams_, deadline, [this] { return CheckAlive(); });
}

// The time since the last lap is `time`'s.
void RankSet::Lap(std::chrono::nanoseconds& time) {
  const auto now = std::chrono::steady_clock::now();
  time = now - std::exchange(lap_, now);
}

Result<StepReport> RankSet::Report() {
  StepReport report;
  report.rank_time.reserve(runners_.size());
  for (const auto& runner : runners_) {
    TRY_ASSIGN(const std::chrono::nanoseconds time, runner->Time());
    report.rank_time.push_back(time);
  }
  Lap(times_.report);
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

// Ranks may be out of step: gets them out of their collectives and sees to it that none touches the step's
// memory.
tl::unexpected<Error> RankSet::Fatal(const Error& reason) {
  Abort(reason);
  const Deadline deadline = Deadline::In(kDrainLimit);
  for (size_t r = 0; r < streams_.size(); ++r) {
    const Result<void> drained = streams_[r]->Drain(deadline);
    if (!drained) TESSERA_LOG(kError, "rank {} after '{}': {}", r, reason.message, drained.error().message);
  }
  plans_.Clear();
  return tl::unexpected<Error>(*failure());
}

}  // namespace tessera::engine
