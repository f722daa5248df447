#include "tessera/exec/issuer.h"

#include <atomic>
#include <condition_variable>
#include <utility>

#include "tessera/base/mutex.h"
#include "tessera/base/named_thread.h"
#include "tessera/base/spin.h"
#include "tessera/base/unfinished.h"

namespace tessera::exec {

class Issuer::Mailbox {
 public:
  void Put(Work work) {
    MutexLock lock(mutex_);
    work_ = std::move(work);
    Tell();
  }
  void Stop() {
    MutexLock lock(mutex_);
    stop_ = true;
    Tell();
  }
  // None: Stop was called.
  Work Await(std::chrono::microseconds awake_for) {
    (void)SpinUntil([this] { return told_.load(std::memory_order_acquire); }, awake_for);
    MutexLock lock(mutex_);
    while (!work_ && !stop_) lock.Wait(changed_);
    told_.store(stop_, std::memory_order_relaxed);
    return std::exchange(work_, nullptr);
  }

 private:
  void Tell() REQUIRES(mutex_) {
    told_.store(true, std::memory_order_release);
    changed_.notify_one();
  }
  Mutex mutex_;
  std::atomic<bool> told_{false};
  std::condition_variable changed_;
  Work work_ GUARDED_BY(mutex_);
  bool stop_ GUARDED_BY(mutex_) = false;
};

Issuer::~Issuer() {
  if (mailbox_ == nullptr) return;
  mailbox_->Stop();
  thread_.join();
}

Result<void> Issuer::Give(Work work) {
  if (mailbox_ == nullptr) {
    auto mailbox = std::make_shared<Mailbox>();
    TRY_ASSIGN(thread_, StartNamedThread("tessera-issue", [mailbox, awake_for = awake_for_] {
                 const Unfinished may_hang;
                 while (const Work next = mailbox->Await(awake_for)) next();
               }));
    mailbox_ = std::move(mailbox);
  }
  mailbox_->Put(std::move(work));
  return {};
}

void Issuer::GiveUp() {
  mailbox_->Stop();
  mailbox_.reset();
  thread_.detach();
}

}  // namespace tessera::exec
