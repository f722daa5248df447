#include "tessera/exec/group_keeper.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <optional>
#include <utility>

#include "tessera/base/aside.h"
#include "tessera/base/log.h"
#include "tessera/base/mutex.h"
#include "tessera/base/named_thread.h"
#include "tessera/base/unfinished.h"

namespace tessera::exec {

namespace {

// How long the end waits for a load that is under way.
constexpr std::chrono::seconds kLoadGrace{2};

// From a load that failed to the next, unless a request comes: twice as long after each, up to the limit.
constexpr std::chrono::seconds kFirstPause{1};
constexpr std::chrono::seconds kLongestPause{60};

// What hangs at its end ends beside the next one.
void DropAside(std::shared_ptr<engine::RankGroup> group, GroupKeeper::Duration limit) {
  auto last = std::make_shared<std::shared_ptr<engine::RankGroup>>(std::move(group));
  auto drop = [last]() -> Result<void> {
    last->reset();
    return {};
  };
  if (auto dropped = RunAside("tessera-end", drop, Deadline::In(limit)); !dropped)
    TESSERA_LOG(kError, "ranks that failed do not end: {}", dropped.error().message);
}

}  // namespace

struct GroupKeeper::Shared {
  using Group = std::shared_ptr<engine::RankGroup>;

  Shared(Group kept, Loader loader, Duration limit, OnReady told)
      : load(std::move(loader)), end_limit(limit), on_ready(std::move(told)), group(std::move(kept)) {}
  void Work() EXCLUDES(mutex);
  bool AwaitWork(Group& lost) EXCLUDES(mutex);
  Result<Group> Replace(Group lost) EXCLUDES(mutex);
  void Settle(Result<Group> loaded) EXCLUDES(mutex);
  void Leave() EXCLUDES(mutex);
  bool StopAndAwaitLeft() EXCLUDES(mutex);
  bool TellReady(bool is_ready) EXCLUDES(mutex);
  bool BeginLoad() EXCLUDES(mutex);

  const Loader load;
  const Duration end_limit;
  const OnReady on_ready;
  Mutex mutex;
  std::condition_variable changed;
  Group group GUARDED_BY(mutex);
  bool wanted GUARDED_BY(mutex) = false;          // a load is to be made or being made
  bool loading GUARDED_BY(mutex) = false;         // it is being made
  bool waited_in_vain GUARDED_BY(mutex) = false;  // a request has lost its patience with it
  bool ready GUARDED_BY(mutex) = true;            // as on_ready was told
  std::optional<Error> failed GUARDED_BY(mutex);  // of the last load
  bool stopping GUARDED_BY(mutex) = false;
  Duration pause GUARDED_BY(mutex){0};  // before the next load
  bool left GUARDED_BY(mutex) = false;  // the thread uses nothing of this any more

  void Want() REQUIRES(mutex) {
    wanted = true;
    waited_in_vain = false;
    changed.notify_all();
  }
};

Result<std::unique_ptr<GroupKeeper>> GroupKeeper::Create(std::unique_ptr<engine::RankGroup> group,
                                                         Loader load, Duration end_limit, OnReady on_ready) {
  auto shared = std::make_shared<Shared>(std::move(group), std::move(load), end_limit, std::move(on_ready));
  std::unique_ptr<GroupKeeper> keeper(new GroupKeeper(shared));
  TRY_ASSIGN(keeper->thread_, StartNamedThread("tessera-keeper", [shared] {
               const Unfinished may_hang;
               shared->Work();
             }));
  return keeper;
}

GroupKeeper::~GroupKeeper() {
  if (!thread_.joinable()) return;
  if (shared_->StopAndAwaitLeft()) {
    thread_.join();
    return;
  }
  TESSERA_LOG(kError, "a model's ranks are still being loaded, or do not end: that is left to itself");
  thread_.detach();
}

Result<std::shared_ptr<engine::RankGroup>> GroupKeeper::Acquire(Deadline deadline, Duration patience) {
  Shared& shared = *shared_;
  MutexLock lock(shared.mutex);
  if (shared.group == nullptr && !shared.wanted) shared.Want();  // the last load failed: once more
  const Deadline enough = Deadline::In(patience);
  const Deadline limit = Sooner(deadline, enough);
  while (shared.wanted && !shared.waited_in_vain && !limit.passed()) lock.Wait(shared.changed, limit);
  if (shared.wanted) {
    // A caller's own deadline may come the moment before, for it was counted from the same limit.
    shared.waited_in_vain = shared.waited_in_vain || enough.left() < patience / 10;
    return Fail(Code::kDeadline, "the ranks are still being loaded anew");
  }
  if (shared.group != nullptr) return shared.group;
  return Fail(Code::kUnavailable, "the ranks cannot be loaded anew: {}", shared.failed->ToString());
}

bool GroupKeeper::ready() const {
  MutexLock lock(shared_->mutex);
  return shared_->ready;
}

void GroupKeeper::Renew() {
  MutexLock lock(shared_->mutex);
  shared_->Want();
}

// False: the keeper is gone, or about to.
bool GroupKeeper::Shared::TellReady(bool is_ready) {
  MutexLock lock(mutex);
  if (stopping) return false;
  if (std::exchange(ready, is_ready) != is_ready && on_ready) on_ready(is_ready);
  return true;
}

// False: likewise, so nothing is loaded.
bool GroupKeeper::Shared::BeginLoad() {
  MutexLock lock(mutex);
  loading = !stopping;
  return loading;
}

Result<GroupKeeper::Shared::Group> GroupKeeper::Shared::Replace(Group lost) {
  (void)TellReady(false);
  DropAside(std::move(lost), end_limit);  // before the next one takes its memory
  if (!BeginLoad()) return Fail(Code::kCancelled, "the model is being unloaded");
  TRY_ASSIGN(Group loaded, load());
  if (!TellReady(true)) return Fail(Code::kCancelled, "the model is being unloaded");
  return loaded;
}

// Blocks until a group is to be loaded, which it is a pause after a load that failed, and takes the one
// before. False: stop; the last group is taken, too.
bool GroupKeeper::Shared::AwaitWork(Group& lost) {
  MutexLock lock(mutex);
  const Deadline again = group != nullptr ? Deadline::Never() : Deadline::In(pause);
  while (!stopping && !wanted && !again.passed()) lock.Wait(changed, again);
  if (!stopping && !wanted) Want();
  lost = std::move(group);
  return !stopping;
}

void GroupKeeper::Shared::Settle(Result<Group> loaded) {
  MutexLock lock(mutex);
  wanted = false;
  loading = false;
  if (loaded) {
    group = *std::move(loaded);
    pause = Duration(0);
  } else {
    pause = std::clamp<Duration>(2 * pause, kFirstPause, kLongestPause);
    failed = std::move(loaded).error();
    if (!stopping) TESSERA_LOG(kError, "the ranks cannot be loaded anew: {}", failed->ToString());
  }
  changed.notify_all();
}

void GroupKeeper::Shared::Leave() {
  MutexLock lock(mutex);
  left = true;
  changed.notify_all();
}

bool GroupKeeper::Shared::StopAndAwaitLeft() {
  MutexLock lock(mutex);
  if (!std::exchange(ready, true) && on_ready) on_ready(true);  // none that are lost are left
  stopping = true;
  changed.notify_all();
  // Nobody wants what is still being loaded. A load that is left to itself drops it.
  const Deadline deadline = Deadline::In(loading ? std::min<Duration>(end_limit, kLoadGrace) : end_limit);
  while (!left && !deadline.passed()) lock.Wait(changed, deadline);
  return left;
}

// The thread's life. Groups are loaded, and end, without the mutex: both take long.
void GroupKeeper::Shared::Work() {
  Group lost;
  while (AwaitWork(lost)) Settle(Replace(std::move(lost)));
  lost.reset();
  Leave();
}

}  // namespace tessera::exec
