#include "tessera/engine/tensorrt/let_go.h"

#include <chrono>

#include "tessera/base/log.h"

namespace tessera::engine {
namespace {

// As long as another model's first step may keep the GPUs, and then some.
constexpr std::chrono::seconds kQuietLimit{90};
// Whoever lets go has waited for the work before.
constexpr std::chrono::milliseconds kWorkLimit{100};

}  // namespace

Freeing::Freeing(const cuda::Stream& user)
    : quiet_(DeviceOrder::OfProcess().Quiet(Deadline::In(kQuietLimit))) {
  const Result<void> drained = user.Drain(Deadline::In(kWorkLimit));
  // Where the work failed it is over as well.
  ends_ = quiet_.owns_lock() && (drained || drained.error().code != Code::kDeadline);
  if (ends_) return;
  TESSERA_LOG(kError, "memory of a model on GPU {} is left behind: {}", user.device().value(),
              drained ? "the launches of another model's step do not end" : drained.error().message);
}

}  // namespace tessera::engine
