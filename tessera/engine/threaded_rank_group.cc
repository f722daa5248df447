#include "tessera/engine/threaded_rank_group.h"

#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "tessera/base/log.h"
#include "tessera/base/named_thread.h"
#include "tessera/engine/rank_team.h"
#include "tessera/engine/step_check.h"

namespace tessera::engine {
namespace {

class ThreadedRankGroup final : public RankGroup {
 public:
  explicit ThreadedRankGroup(std::shared_ptr<RankTeam> team) : team_(std::move(team)) {}
  ~ThreadedRankGroup() override;

  Result<void> Start(const SessionFactory& make_session, Deadline deadline);

  int world_size() const override { return team_->world_size(); }
  const std::vector<TensorSpec>& inputs() const override { return team_->inputs(); }
  const std::vector<TensorSpec>& outputs() const override { return team_->outputs(); }
  void Submit(const Step& step, Completion done) override;
  Result<StepReport> Run(const Step& step) override;
  void Abort(const Error& reason) noexcept override { team_->Fail(reason); }
  bool usable() const noexcept override { return !team_->failed(); }

 private:
  Result<void> Admit(const Step& step);

  const std::shared_ptr<RankTeam> team_;
  std::vector<std::thread> threads_;
};

Result<void> ThreadedRankGroup::Start(const SessionFactory& make_session, Deadline deadline) {
  TRY(team_->StartWatchdog());
  for (int r = 0; r < team_->world_size(); ++r) {
    auto live = [team = team_, make_session, deadline, r] { team->Live(Rank{r}, make_session, deadline); };
    TRY_ASSIGN(std::thread thread, StartNamedThread(fmt::format("tessera-rank{}", r), std::move(live)));
    threads_.push_back(std::move(thread));
  }
  return team_->AwaitLoaded(deadline);
}

ThreadedRankGroup::~ThreadedRankGroup() {
  team_->Fail(Error{Code::kCancelled, "the model is closed", -1, __FILE__, __LINE__});
  team_->Stop();
  const bool left = team_->AwaitLeft(static_cast<int>(threads_.size()), kStopGrace);
  if (!left)
    TESSERA_LOG(kError, "a rank does not stop; its thread is left behind: {}", team_->first_error().message);
  for (std::thread& thread : threads_) left ? thread.join() : thread.detach();
}

Result<void> ThreadedRankGroup::Admit(const Step& step) {
  if (team_->failed())
    return Fail(Code::kUnavailable, "the ranks have stopped: {}", team_->first_error().ToString());
  return CheckStep(step, world_size(), inputs());
}

void ThreadedRankGroup::Submit(const Step& step, Completion done) {
  Result<void> admitted = Admit(step);
  if (!admitted) return done(Forward(std::move(admitted)));
  team_->Begin(step, std::move(done));
}

// Rank 0 runs here, the others are waited for on one futex.
Result<StepReport> ThreadedRankGroup::Run(const Step& step) {
  TRY(Admit(step));
  std::optional<Result<StepReport>> report;
  auto done = std::make_shared<std::atomic<int>>(0);  // outlives the last touch of the rank that rings it
  team_->BeginHere(step, [&report, done](Result<StepReport> result) {
    report = std::move(result);
    done->store(1, std::memory_order_release);
    done->notify_one();
  });
  done->wait(0, std::memory_order_acquire);
  return *std::move(report);
}

}  // namespace

Result<std::unique_ptr<RankGroup>> MakeThreadedRankGroup(
    std::vector<std::unique_ptr<comm::Communicator>> ends, const SessionFactory& make_session,
    Deadline deadline) {
  auto group = std::make_unique<ThreadedRankGroup>(std::make_shared<RankTeam>(std::move(ends)));
  TRY(group->Start(make_session, deadline));
  return group;
}

}  // namespace tessera::engine
