#include "tessera/base/aside.h"

#include <condition_variable>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "tessera/base/caught.h"
#include "tessera/base/mutex.h"
#include "tessera/base/named_thread.h"
#include "tessera/base/unfinished.h"

namespace tessera {
namespace {

// What both threads share.
struct Call {
  Mutex mutex;
  std::condition_variable ended;
  std::optional<Result<void>> result GUARDED_BY(mutex);
  bool left GUARDED_BY(mutex) = false;

  // True: somebody waits for it.
  bool Tell(Result<void> told) {
    MutexLock lock(mutex);
    result = std::move(told);
    ended.notify_all();
    return !left;
  }
};

}  // namespace

Result<void> RunAside(const char* name, std::function<Result<void>()> work, Deadline deadline,
                      std::function<void()> late) {
  auto call = std::make_shared<Call>();
  auto run = [call, work = std::move(work), late = std::move(late)]() mutable {
    std::optional<Unfinished> may_hang(std::in_place);
    Result<void> result = Caught(work);
    work = nullptr;  // what it keeps goes before anybody is told
    if (!late) may_hang.reset();
    if (!call->Tell(std::move(result)) && late) late();
  };
  TRY_ASSIGN(std::thread thread, StartNamedThread(name, std::move(run)));
  thread.detach();
  MutexLock lock(call->mutex);
  while (!call->result && !deadline.passed()) lock.Wait(call->ended, deadline);
  if (call->result) return *std::move(call->result);
  call->left = true;
  return Fail(Code::kDeadline, "the thread {} hangs and is left to itself", name);
}

}  // namespace tessera
