// How memory that GPUs work with is given back.
#pragma once

#include <chrono>
#include <list>
#include <mutex>
#include <utility>
#include <vector>

#include "tessera/base/deadline.h"
#include "tessera/base/mutex.h"
#include "tessera/cuda/device.h"
#include "tessera/cuda/stream.h"
#include "tessera/engine/tensorrt/device_order.h"

namespace tessera::engine {

// How long a stream may still be at work when its collectives were aborted.
inline constexpr std::chrono::seconds kDrainLimit{5};

// CUDA frees memory when the GPU is done with it, and every other one that has access to it: for ever where
// work never ends, and never between the launches of a step, for it holds up whoever launches meanwhile.
class Freeing {
 public:
  // Blocks, for some time, until no step of the process is half issued, and none is until this goes. Of
  // `users` there is one at least.
  explicit Freeing(const std::vector<const cuda::Stream*>& users);
  // Whether freeing what `users` work with ends. There is a line in the log where it does not.
  bool ends() const { return ends_; }

 private:
  const Result<cuda::DeviceGuard> guard_;  // else CUDA would make a context on GPU 0 for a new thread
  const Result<std::unique_lock<DeviceOrder::Issuing>> quiet_;
  bool ends_ = false;
};

// Keeps `thing` for good.
template <class Thing>
void LeaveBehind(Thing thing) {
  static Mutex mutex;
  static auto* const left_behind = new std::list<Thing>;
  const MutexLock lock(mutex);
  left_behind->push_back(std::move(thing));
}

// Frees what `thing` owns once that is right; what a GPU that hangs may use stays for good.
template <class Thing>
void LetGo(Thing thing, const std::vector<const cuda::Stream*>& users) {
  const Freeing freeing(users);
  if (!freeing.ends()) return LeaveBehind(std::move(thing));
  const Thing gone = std::move(thing);
}

template <class Thing>
void LetGo(Thing thing, const cuda::Stream& user) {
  LetGo(std::move(thing), std::vector{&user});
}

}  // namespace tessera::engine
