#include "tessera/exec/group_keeper.h"

#include <utility>

#include "tessera/base/log.h"
#include "tessera/engine/named_thread.h"

namespace tessera::exec {

Result<std::unique_ptr<GroupKeeper>> GroupKeeper::Create(std::unique_ptr<engine::RankGroup> group,
                                                         Loader load, OnReady on_ready) {
  std::unique_ptr<GroupKeeper> keeper(
      new GroupKeeper(std::move(group), std::move(load), std::move(on_ready)));
  TRY_ASSIGN(keeper->thread_,
             engine::StartNamedThread("tessera-keeper", [self = keeper.get()] { self->Work(); }));
  return keeper;
}

GroupKeeper::~GroupKeeper() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<engine::RankGroup*> GroupKeeper::Acquire(Deadline deadline) {
  MutexLock lock(mutex_);
  if (group_ == nullptr && !wanted_) {  // the last load failed: once more
    wanted_ = true;
    changed_.notify_all();
  }
  while (wanted_ && !deadline.passed()) {
    if (deadline.never()) {
      changed_.wait(lock.std_lock());
    } else {
      changed_.wait_until(lock.std_lock(), deadline.at());
    }
  }
  if (wanted_) return Fail(Code::kDeadline, "the ranks are still being loaded anew");
  if (group_ != nullptr) return group_.get();
  return Fail(Code::kUnavailable, "the ranks cannot be loaded anew: {}", failed_->ToString());
}

void GroupKeeper::Renew() {
  MutexLock lock(mutex_);
  wanted_ = true;
  changed_.notify_all();
}

Result<std::unique_ptr<engine::RankGroup>> GroupKeeper::Replace(std::unique_ptr<engine::RankGroup> lost) {
  if (std::exchange(ready_, false) && on_ready_) on_ready_(false);
  lost.reset();  // before the next one takes its memory
  {
    MutexLock lock(mutex_);
    if (stopping_) return Fail(Code::kCancelled, "the model is being unloaded");
  }
  auto loaded = load_();
  ready_ = loaded.has_value();
  if (ready_ && on_ready_) on_ready_(true);
  return loaded;
}

void GroupKeeper::Work() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    if (!wanted_) {
      changed_.wait(lock.std_lock());
      continue;
    }
    std::unique_ptr<engine::RankGroup> lost = std::move(group_);
    lock.std_lock().unlock();
    Result<std::unique_ptr<engine::RankGroup>> loaded = Replace(std::move(lost));
    lock.std_lock().lock();
    wanted_ = false;
    if (loaded) {
      group_ = *std::move(loaded);
    } else {
      failed_ = std::move(loaded).error();
      if (!stopping_) TESSERA_LOG(kError, "the ranks cannot be loaded anew: {}", failed_->ToString());
    }
    changed_.notify_all();
  }
}

}  // namespace tessera::exec
