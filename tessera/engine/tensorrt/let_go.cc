#include "tessera/engine/tensorrt/let_go.h"

#include <chrono>

#include "tessera/base/log.h"

namespace tessera::engine {
namespace {

// Whoever lets go has waited for the work before.
constexpr std::chrono::milliseconds kWorkLimit{100};

}  // namespace

Freeing::Freeing(const std::vector<const cuda::Stream*>& users)
    : guard_(cuda::DeviceGuard::Enter(users.front()->device())),
      quiet_(DeviceOrder::OfProcess().Quiet()),
      ends_(quiet_.has_value()) {
  if (!ends_) {
    TESSERA_LOG(kError, "memory of a model is left behind: the launches of another model's step do not end");
    return;
  }
  const Deadline deadline = Deadline::In(kWorkLimit);
  for (const cuda::Stream* user : users) {
    const Result<void> drained = user->Drain(deadline);
    // Where the work failed it is over as well.
    if (drained || drained.error().code != Code::kDeadline) continue;
    ends_ = false;
    TESSERA_LOG(kError, "memory of a model on GPU {} is left behind: {}", user->device().value(),
                drained.error().message);
  }
}

}  // namespace tessera::engine
