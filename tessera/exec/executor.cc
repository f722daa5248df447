#include "tessera/exec/executor.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "tessera/base/log.h"
#include "tessera/exec/fifo.h"
#include "tessera/exec/gather_sink.h"
#include "tessera/exec/group_keeper.h"
#include "tessera/exec/layout.h"
#include "tessera/exec/model_directory.h"
#include "tessera/exec/probe.h"
#include "tessera/exec/under_way.h"

namespace tessera::exec {
namespace {

using Clock = std::chrono::steady_clock;

// A request on its way through the ranks.
struct Trip {
  Trip(const Layout& layout, OutputTarget& outputs, std::vector<engine::RankInputs> parts,
       Clock::time_point began)
      : sink(layout, outputs), step{std::move(parts), &sink, Deadline::Never()}, start(began) {}
  GatherSink sink;
  engine::Step step;
  engine::RankGroup* group = nullptr;  // once on board
  const Clock::time_point start;
};

class GroupExecutor final : public Executor {
 public:
  GroupExecutor(plan::Plan plan, const Options& options) : plan_(std::move(plan)), options_(options) {}
  ~GroupExecutor() override {
    if (under_way_) under_way_->AwaitNone();
  }

  Result<void> Begin(std::unique_ptr<engine::RankGroup> group, GroupKeeper::Loader load);

  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  const plan::Plan& plan() const override { return plan_; }
  std::optional<int64_t> max_rows() const override { return max_rows_; }
  int steps_in_flight() const override { return steps_in_flight_; }
  Result<InferReport> Infer(std::span<const TensorView> inputs, OutputTarget& outputs,
                            Deadline deadline) override;
  void Start(std::span<const TensorView> inputs, OutputTarget& outputs, Answer done) override;

 private:
  Result<void> Board(Trip& trip, Deadline deadline);
  Result<InferReport> Alight(Trip& trip, Result<engine::StepReport> report);

  const plan::Plan plan_;
  const Options options_;
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
  std::optional<Layout> layout_;
  std::optional<int64_t> max_rows_;
  int steps_in_flight_ = 1;
  std::optional<UnderWay> under_way_;
  std::unique_ptr<GroupKeeper> keeper_;
  Fifo fifo_;  // who may use the group that the keeper lends
};

Result<void> GroupExecutor::Begin(std::unique_ptr<engine::RankGroup> group, GroupKeeper::Loader load) {
  for (const plan::TensorPlan& input : plan_.inputs) inputs_.push_back(input.spec);
  for (const plan::TensorPlan& output : plan_.outputs) outputs_.push_back(output.spec);
  TRY_ASSIGN(layout_, Layout::Create(plan_, group->inputs(), group->outputs()));
  max_rows_ = layout_->MaxRows(group->largest_inputs());
  steps_in_flight_ = group->steps_in_flight();
  under_way_.emplace(steps_in_flight_, [this] { keeper_->Renew(); });
  TRY_ASSIGN(keeper_, GroupKeeper::Create(std::move(group), std::move(load), options_.on_ready));
  return {};
}

Result<InferReport> GroupExecutor::Infer(std::span<const TensorView> inputs, OutputTarget& outputs,
                                         Deadline deadline) {
  const Clock::time_point start = Clock::now();
  TRY_ASSIGN(std::vector<engine::RankInputs> parts, layout_->Split(inputs));
  Trip trip(*layout_, outputs, std::move(parts), start);
  TRY_ASSIGN(const Fifo::Turn turn, fifo_.Enter(deadline));
  TRY(under_way_->Begin(deadline));
  TRY(Board(trip, deadline));
  Result<InferReport> answer = Alight(trip, trip.group->Run(trip.step));
  under_way_->Left();
  return answer;
}

void GroupExecutor::Start(std::span<const TensorView> inputs, OutputTarget& outputs, Answer done) {
  const Clock::time_point start = Clock::now();
  Result<std::vector<engine::RankInputs>> parts = layout_->Split(inputs);
  if (!parts) return done(Forward(std::move(parts)));
  auto trip = std::make_shared<Trip>(*layout_, outputs, *std::move(parts), start);
  // Those in front have limits of their own.
  Result<Fifo::Turn> turn = fifo_.Enter(Deadline::Never());
  if (!turn) return done(Forward(std::move(turn)));
  Result<void> boarded = under_way_->Begin(Deadline::Never());
  if (boarded) boarded = Board(*trip, Deadline::In(options_.step_limit));
  if (!boarded) return done(Forward(std::move(boarded)));
  trip->step.deadline = Deadline::In(options_.step_limit);
  trip->group->Submit(trip->step, [this, trip, done = std::move(done)](Result<engine::StepReport> report) {
    done(Alight(*trip, std::move(report)));
    under_way_->Left();
  });
}

// Lends a request that has begun the ranks, or ends it.
Result<void> GroupExecutor::Board(Trip& trip, Deadline deadline) {
  auto board = [&]() -> Result<void> {
    TRY_ASSIGN(trip.group, keeper_->Acquire(deadline));
    trip.step.deadline = Sooner(deadline, Deadline::In(options_.step_limit));
    if (!trip.step.deadline.passed()) return {};
    return Fail(Code::kDeadline, "the deadline passed before the ranks could start");
  };
  Result<void> boarded = board();
  if (boarded) return boarded;
  (void)under_way_->Ended(true);
  under_way_->Left();
  return boarded;
}

Result<InferReport> GroupExecutor::Alight(Trip& trip, Result<engine::StepReport> report) {
  const bool first_loss = under_way_->Ended(trip.group->usable());
  if (!report) {
    if (first_loss) TESSERA_LOG(kWarning, "the ranks are loaded anew: {}", report.error().ToString());
    return Forward(std::move(report));
  }
  TRY(trip.sink.Finish());
  return InferReport{std::move(report->rank_time), Clock::now() - trip.start};
}

}  // namespace

Result<std::unique_ptr<Executor>> Executor::Create(const std::filesystem::path& directory,
                                                   engine::Engine& engine, const Options& options) {
  TRY_ASSIGN(plan::Plan plan, OpenModelDirectory(directory, options.model_files, options.verify_files));
  return Create(std::move(plan), directory, engine, options);
}

Result<std::unique_ptr<Executor>> Executor::Create(plan::Plan plan, const std::filesystem::path& directory,
                                                   engine::Engine& engine, const Options& options) {
  auto load = [plan, directory, &engine, limit = options.load_limit,
               probe = options.probe]() -> Result<std::unique_ptr<engine::RankGroup>> {
    const Deadline deadline = Deadline::In(limit);
    TRY_ASSIGN(std::unique_ptr<engine::RankGroup> group, engine.Load(plan, directory, deadline));
    if (!probe) return group;
    plan::Plan known = plan;
    if (IsMadeUp(known)) Describe(engine, *group, known);
    TRY(ProbeRanks(known, directory, *group, deadline));
    return group;
  };
  TRY_ASSIGN(std::unique_ptr<engine::RankGroup> group, load());
  if (IsMadeUp(plan)) Describe(engine, *group, plan);
  MarkShapeTensors(*group, plan);
  auto executor = std::make_unique<GroupExecutor>(std::move(plan), options);
  TRY(executor->Begin(std::move(group), std::move(load)));
  return executor;
}

}  // namespace tessera::exec
