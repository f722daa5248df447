#include "tessera/exec/executor.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "tessera/base/aside.h"
#include "tessera/base/log.h"
#include "tessera/engine/watchdog.h"
#include "tessera/exec/group_keeper.h"
#include "tessera/exec/issuer.h"
#include "tessera/exec/layout.h"
#include "tessera/exec/model_directory.h"
#include "tessera/exec/probe.h"
#include "tessera/exec/trip.h"

namespace tessera::exec {
namespace {

using Clock = Trip::Clock;

// How long the issuer looks for the next step behind one, where threads look before they sleep: steps of up
// to a millisecond that come one by one find it awake, as LaunchTeam's helpers are. Waking it takes 25 us.
constexpr std::chrono::milliseconds kIssuerAwake{1};

class GroupExecutor final : public Executor {
 public:
  GroupExecutor(plan::Plan plan, const Options& options)
      : plan_(std::make_shared<const plan::Plan>(std::move(plan))), options_(options) {}
  ~GroupExecutor() override {
    if (passage_) passage_->under_way.AwaitNone();
  }

  Result<void> Begin(std::unique_ptr<engine::RankGroup> group, GroupKeeper::Loader load);

  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  const plan::Plan& plan() const override { return *plan_; }
  std::optional<int64_t> max_rows() const override { return max_rows_; }
  bool ready() const override { return keeper_->ready(); }
  int steps_in_flight() const override { return steps_in_flight_; }
  Result<InferReport> Infer(std::span<const TensorView> inputs, OutputTarget& outputs,
                            Deadline deadline) override;
  void Start(std::span<const TensorView> inputs, OutputTarget& outputs, Answer done) override;

 private:
  using Ranks = std::shared_ptr<engine::RankGroup>;
  Result<std::shared_ptr<Trip>> Enter(std::span<const TensorView> inputs, OutputTarget& outputs,
                                      Deadline deadline);
  Result<Ranks> Board(Trip& trip, Deadline deadline);
  template <class Call>
  void Issue(const std::shared_ptr<Trip>& trip, Ranks& ranks, Call call);
  void Submit(const std::shared_ptr<Trip>& trip);
  static Result<InferReport> Alight(GroupExecutor* self, Trip& trip, const engine::RankGroup& ranks,
                                    Result<engine::StepReport> report);
  void GiveUpIssuing();

  const std::shared_ptr<const plan::Plan> plan_;
  const Options options_;
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
  std::optional<int64_t> max_rows_;
  int steps_in_flight_ = 1;
  std::shared_ptr<Passage> passage_;
  std::unique_ptr<GroupKeeper> keeper_;
  std::optional<Issuer> issuer_;                // of whoever has the turn
  std::unique_ptr<engine::Watchdog> watchdog_;  // of the trip that is being issued; ends first
};

Result<void> GroupExecutor::Begin(std::unique_ptr<engine::RankGroup> group, GroupKeeper::Loader load) {
  for (const plan::TensorPlan& input : plan_->inputs) inputs_.push_back(input.spec);
  for (const plan::TensorPlan& output : plan_->outputs) outputs_.push_back(output.spec);
  TRY_ASSIGN(Layout layout, Layout::Create(*plan_, group->inputs(), group->outputs()));
  max_rows_ = layout.MaxRows(group->largest_inputs());
  steps_in_flight_ = group->steps_in_flight();
  passage_ =
      std::make_shared<Passage>(plan_, std::move(layout), steps_in_flight_, [this] { keeper_->Renew(); });
  const bool looks = passage_->under_way.awake_for().count() > 0;
  issuer_.emplace(looks ? kIssuerAwake : std::chrono::milliseconds(0));
  TRY_ASSIGN(keeper_,
             GroupKeeper::Create(std::move(group), std::move(load), options_.end_limit, options_.on_ready));
  TRY_ASSIGN(watchdog_, engine::Watchdog::Create([this] { GiveUpIssuing(); }));
  return {};
}

Result<InferReport> GroupExecutor::Infer(std::span<const TensorView> inputs, OutputTarget& outputs,
                                         Deadline deadline) {
  TRY_ASSIGN(const std::shared_ptr<Trip> trip, Enter(inputs, outputs, deadline));
  TRY_ASSIGN(Ranks ranks, Board(*trip, deadline));
  Result<InferReport> answer;
  Issue(trip, ranks, [&] {
    answer = Alight(this, *trip, *ranks, ranks->Run(trip->step));
    trip->passage->under_way.Left(trip->use);
  });
  return answer;
}

void GroupExecutor::Start(std::span<const TensorView> inputs, OutputTarget& outputs, Answer done) {
  // Those in front have limits of their own.
  Result<std::shared_ptr<Trip>> entered = Enter(inputs, outputs, Deadline::Never());
  if (!entered) return done(Forward(std::move(entered)));
  const std::shared_ptr<Trip>& trip = *entered;
  trip->done = std::move(done);
  trip->by_issuer = true;
  Result<void> given = issuer_->Give([this, trip] { Submit(trip); });
  if (given) return;
  const Answer answer = std::move(trip->done);
  passage_->under_way.Cancel(trip->use);
  answer(Forward(std::move(given)));
}

// In the issuer's thread.
void GroupExecutor::Submit(const std::shared_ptr<Trip>& trip) {
  Result<Ranks> ranks = Board(*trip, Deadline::Never());
  if (!ranks) return trip->done(Forward(std::move(ranks)));
  Issue(trip, *ranks, [&] {
    (*ranks)->Submit(trip->step, [this, trip, ranks = ranks->get()](Result<engine::StepReport> report) {
      trip->done(Alight(this, *trip, *ranks, std::move(report)));
      trip->passage->under_way.Left(trip->use);
    });
  });
}

// A trip that has the turn and may use the ranks.
Result<std::shared_ptr<Trip>> GroupExecutor::Enter(std::span<const TensorView> inputs, OutputTarget& outputs,
                                                   Deadline deadline) {
  const Clock::time_point start = Clock::now();
  TRY_ASSIGN(std::vector<engine::RankInputs> parts, passage_->layout.Split(inputs));
  auto trip = std::make_shared<Trip>(passage_, outputs, std::move(parts), start);
  TRY_ASSIGN(Fifo::Turn turn, passage_->fifo.Enter(deadline));
  trip->turn.emplace(std::move(turn));
  TRY(passage_->under_way.Begin(trip->use, deadline));
  return trip;
}

// Lends a trip the ranks, or ends it.
Result<GroupExecutor::Ranks> GroupExecutor::Board(Trip& trip, Deadline deadline) {
  auto board = [&]() -> Result<Ranks> {
    TRY_ASSIGN(Ranks ranks, keeper_->Acquire(deadline, options_.step_limit));
    trip.step.deadline = Sooner(deadline, Deadline::In(options_.step_limit));
    if (!trip.step.deadline.passed()) return ranks;
    return Fail(Code::kDeadline, "the deadline passed before the ranks could start");
  };
  Result<Ranks> ranks = board();
  if (ranks) return ranks;
  trip.turn.reset();
  trip.passage->under_way.Cancel(trip.use);
  return ranks;
}

// Has `call` use the ranks. Its thread may hang there, and come back when the executor is gone: `ranks`, the
// trip and what they refer to are all that there is then.
template <class Call>
void GroupExecutor::Issue(const std::shared_ptr<Trip>& trip, Ranks& ranks, Call call) {
  const std::shared_ptr<Passage> passage = trip->passage;
  watchdog_->Arm(trip->step.deadline.Later(options_.hang_grace));
  passage->issuing.Begin(trip, ranks);
  call();
  if (!passage->issuing.End(trip)) return;
  watchdog_->Disarm();
  trip->turn.reset();
  ranks.reset();  // whose end is the keeper's affair from here on
  passage->under_way.Issued(trip->use);
}

// `self` may be gone where the trip was given up.
Result<InferReport> GroupExecutor::Alight(GroupExecutor* self, Trip& trip, const engine::RankGroup& ranks,
                                          Result<engine::StepReport> report) {
  const UnderWay::End end = trip.passage->under_way.Ended(trip.use, ranks);
  // A step that waits for this one to end while it is issued has its time from now on.
  if (!end.given_up && trip.passage->issuing.any()) {
    self->watchdog_->Arm(Deadline::In(self->options_.step_limit).Later(self->options_.hang_grace));
  }
  if (!report) {
    if (end.first_loss) TESSERA_LOG(kWarning, "the ranks are loaded anew: {}", report.error().ToString());
    return Forward(std::move(report));
  }
  TRY(trip.sink.Finish());
  return InferReport{std::move(report->rank_time), Clock::now() - trip.start};
}

// In the watchdog's thread. What the thread that hangs still uses goes with it, when it comes back.
void GroupExecutor::GiveUpIssuing() {
  Issuing::Taken taken = passage_->issuing.GiveUp();
  if (taken.trip == nullptr) return;
  const Error reason{Code::kDeadline, "a step that is being issued does not end: a device's driver hangs", -1,
                     __FILE__, __LINE__};
  TESSERA_LOG(kError, "{}; its request is not answered, its ranks are left behind, and others are loaded",
              reason.message);
  taken.ranks->Abort(reason);
  taken.ranks.reset();  // while the keeper has them: their end is not this thread's affair
  if (taken.trip->by_issuer) issuer_->GiveUp();
  Fifo::Turn turn = *std::exchange(taken.trip->turn, std::nullopt);
  passage_->under_way.GiveUp(taken.trip->use);
}

}  // namespace

Result<std::unique_ptr<Executor>> Executor::Create(const std::filesystem::path& directory,
                                                   const SharedEngine& engine, const Options& options) {
  TRY_ASSIGN(plan::Plan plan, OpenModelDirectory(directory, options.model_files, options.verify_files));
  return Create(std::move(plan), directory, engine, options);
}

Result<std::unique_ptr<Executor>> Executor::Create(plan::Plan plan, const std::filesystem::path& directory,
                                                   const SharedEngine& engine, const Options& options) {
  auto load_here = [plan, directory, engine, limit = options.load_limit,
                    probe = options.probe]() -> Result<std::unique_ptr<engine::RankGroup>> {
    const Deadline deadline = Deadline::In(limit);
    TRY_ASSIGN(std::unique_ptr<engine::RankGroup> group, engine->Load(plan, directory, deadline));
    if (!probe) return group;
    plan::Plan known = plan;
    if (IsMadeUp(known)) Describe(*engine, *group, known);
    TRY(ProbeRanks(known, directory, *group, deadline));
    return group;
  };
  auto load = [load_here, limit = options.load_limit, grace = options.end_limit]() {
    // Where a device's driver hangs, its thread drops what it has loaded when it comes back.
    return MakeAside("tessera-load", load_here, Deadline::In(limit).Later(grace));
  };
  TRY_ASSIGN(std::unique_ptr<engine::RankGroup> group, load());
  if (IsMadeUp(plan)) Describe(*engine, *group, plan);
  MarkInputs(*group, plan);
  auto executor = std::make_unique<GroupExecutor>(std::move(plan), options);
  TRY(executor->Begin(std::move(group), std::move(load)));
  return executor;
}

}  // namespace tessera::exec
