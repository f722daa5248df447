#include "tessera/engine/rank_team.h"

#include <utility>

#include "tessera/base/unfinished.h"
#include "tessera/engine/step_check.h"

namespace tessera::engine {
namespace {

using Clock = std::chrono::steady_clock;

// An error that only tells that somebody else failed.
bool IsEcho(const Error& error) {
  return error.code == Code::kPeerLost || error.code == Code::kCancelled;
}

}  // namespace

RankTeam::RankTeam(std::vector<std::unique_ptr<comm::Communicator>> ends)
    : ends_(std::move(ends)), slots_(std::make_unique<Slot[]>(ends_.size())), sessions_(ends_.size()) {
  for (size_t r = 0; r < ends_.size(); ++r) slots_[r].busy.store(true, std::memory_order_relaxed);  // loading
}

Result<void> RankTeam::StartWatchdog() {
  TRY_ASSIGN(watchdog_, Watchdog::Create([this] { Expire(); }));
  return {};
}

void RankTeam::Live(Rank rank, const SessionFactory& make_session, Deadline deadline) {
  const Unfinished may_hang;
  if (LoadRank(rank, make_session, deadline)) Serve(rank);
  std::unique_ptr<RankSession> session;
  {
    MutexLock lock(mutex_);
    session = std::move(sessions_[static_cast<size_t>(rank.value())]);
  }
  session.reset();  // in the thread that made it, and not under the lock: it may take long
  MutexLock lock(mutex_);
  ++left_;
  changed_.notify_all();
}

bool RankTeam::LoadRank(Rank rank, const SessionFactory& make_session, Deadline deadline) {
  const auto r = static_cast<size_t>(rank.value());
  Result<std::unique_ptr<RankSession>> session = make_session(*ends_[r], deadline);
  slots_[r].busy.store(false, std::memory_order_relaxed);
  if (!session) {
    Error error = std::move(session).error();
    if (error.rank < 0) error.rank = rank.value();
    Fail(error);
    return false;
  }
  MutexLock lock(mutex_);
  sessions_[r] = *std::move(session);
  ++loaded_;
  changed_.notify_all();
  return true;
}

Result<void> RankTeam::AwaitLoaded(Deadline deadline) {
  {
    MutexLock lock(mutex_);
    while (loaded_ < world_size() && !first_error_ && !deadline.passed()) lock.Wait(changed_, deadline);
    if (first_error_) return tl::unexpected<Error>(*first_error_);
  }
  if (BusyRanks().empty()) return CompareSpecs();
  Error late{Code::kDeadline, fmt::format("not loaded in time: rank {}", BusyRanks()), -1, __FILE__,
             __LINE__};
  Fail(late);
  return tl::unexpected<Error>(std::move(late));
}

Result<void> RankTeam::CompareSpecs() {
  MutexLock lock(mutex_);
  for (const std::unique_ptr<RankSession>& session : sessions_) loaded_sessions_.push_back(session.get());
  inputs_ = sessions_.front()->inputs();
  outputs_ = sessions_.front()->outputs();
  for (size_t r = 1; r < sessions_.size(); ++r) {
    if (sessions_[r]->inputs() != inputs_ || sessions_[r]->outputs() != outputs_) {
      return tessera::Fail(Code::kInvalidArgument,
                           "rank {}: its inputs or outputs differ from those of rank 0", r);
    }
  }
  return {};
}

void RankTeam::Serve(Rank rank) {
  Slot& slot = slots_[rank.value()];
  for (uint32_t heard = 0;;) {
    slot.bell.wait(heard, std::memory_order_acquire);
    heard = slot.bell.load(std::memory_order_acquire);  // before the looks below: no later ring is missed
    if (slot.has_step.exchange(false, std::memory_order_acq_rel)) RunRank(rank);
    if (stopping_.load(std::memory_order_acquire)) return;
  }
}

void RankTeam::Ring(int rank) {
  slots_[rank].bell.fetch_add(1, std::memory_order_release);
  slots_[rank].bell.notify_one();
}

void RankTeam::Prepare(const Step& step, RankGroup::Completion done) {
  step_ = &step;
  done_ = std::move(done);
  running_.store(world_size(), std::memory_order_relaxed);
  for (int r = 0; r < world_size(); ++r) slots_[r].busy.store(true, std::memory_order_relaxed);
  if (!step.deadline.never()) watchdog_->Arm(step.deadline);
}

void RankTeam::Begin(const Step& step, RankGroup::Completion done) {
  Prepare(step, std::move(done));
  // The step may be over, and the next one begun, before this loop is: so all have their part before the
  // first ring.
  for (int r = 0; r < world_size(); ++r) slots_[r].has_step.store(true, std::memory_order_release);
  for (int r = 0; r < world_size(); ++r) Ring(r);
}

void RankTeam::BeginHere(const Step& step, RankGroup::Completion done) {
  Prepare(step, std::move(done));
  for (int r = 1; r < world_size(); ++r) slots_[r].has_step.store(true, std::memory_order_release);
  for (int r = 1; r < world_size(); ++r) Ring(r);
  RunRank(Rank{0});
}

void RankTeam::RunRank(Rank rank) {
  Slot& slot = slots_[rank.value()];
  RankSession& session = *loaded_sessions_[static_cast<size_t>(rank.value())];
  const Clock::time_point start = Clock::now();
  if (!failed()) {  // else a peer failed before this rank woke
    Result<void> ran =
        session.Run(step_->ranks[static_cast<size_t>(rank.value())], *this, rank, step_->deadline);
    if (!ran) FailRank(rank, std::move(ran).error());
  }
  slot.time = Clock::now() - start;
  slot.busy.store(false, std::memory_order_relaxed);
  if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) Complete();
}

void RankTeam::FailRank(Rank rank, Error error) {
  if (error.rank < 0) error.rank = rank.value();
  // A single rank that refused its inputs is out of step with nobody. One that failed while it ran cannot go
  // on: OpenVINO keeps the shapes of a step that failed, and fails every later one that looks the same.
  const bool refused = error.code == Code::kInvalidArgument || error.code == Code::kUnsupported;
  if (world_size() > 1 || !refused) return Fail(error);
  MutexLock lock(mutex_);
  step_error_ = std::move(error);
}

// In the thread of the rank that finished last.
void RankTeam::Complete() {
  if (!step_->deadline.never()) watchdog_->Disarm();
  Result<StepReport> result;
  result->rank_time.reserve(ends_.size());
  for (size_t r = 0; r < ends_.size(); ++r) result->rank_time.push_back(slots_[r].time);
  {
    MutexLock lock(mutex_);
    if (first_error_) {
      result = tl::unexpected<Error>(*first_error_);
    } else if (step_error_) {
      result = tl::unexpected<Error>(*std::exchange(step_error_, std::nullopt));
    }
  }
  // From here on the owner may begin the next step.
  const RankGroup::Completion done = std::exchange(done_, nullptr);
  done(std::move(result));
}

void RankTeam::Expire() {
  Fail(Error{Code::kDeadline,
             fmt::format("the step did not finish in its time, still running: rank {}", BusyRanks()), -1,
             __FILE__, __LINE__});
}

std::string RankTeam::BusyRanks() const {
  std::string ranks;
  for (int r = 0; r < world_size(); ++r) {
    if (slots_[r].busy.load(std::memory_order_relaxed))
      ranks += fmt::format("{}{}", ranks.empty() ? "" : ", ", r);
  }
  return ranks;
}

void RankTeam::Fail(const Error& error) noexcept {
  {
    MutexLock lock(mutex_);
    const bool explains = first_error_ && IsEcho(*first_error_) && !IsEcho(error);
    if (first_error_ && !explains) return;
    const bool first = !first_error_;
    first_error_ = error;
    failed_.store(true, std::memory_order_release);
    if (!first) return;
    for (const std::unique_ptr<RankSession>& session : sessions_) {
      if (session != nullptr) session->Cancel();
    }
    changed_.notify_all();
  }
  for (const std::unique_ptr<comm::Communicator>& end : ends_) end->Abort(error);
}

Error RankTeam::first_error() {
  MutexLock lock(mutex_);
  return first_error_.value_or(Error{});
}

void RankTeam::Stop() {
  stopping_.store(true, std::memory_order_release);
  for (int r = 0; r < world_size(); ++r) Ring(r);
}

bool RankTeam::AwaitLeft(int threads, std::chrono::nanoseconds grace) {
  const Deadline deadline = Deadline::In(std::chrono::duration_cast<Deadline::Clock::duration>(grace));
  MutexLock lock(mutex_);
  while (left_ < threads && !deadline.passed()) lock.Wait(changed_, deadline);
  return left_ == threads;
}

Result<Region> RankTeam::Place(Rank rank, int index, DType type, const Shape& shape) {
  Result<Region> place = step_->sink->Place(rank, index, type, shape);
  if (place) {
    Result<void> checked = CheckPlace(*place, outputs_[static_cast<size_t>(index)], type, shape);
    if (checked) return place;
    place = Forward(std::move(checked));
  }
  MutexLock lock(mutex_);
  if (!step_error_) step_error_ = std::move(place).error();
  return Region{};
}

}  // namespace tessera::engine
