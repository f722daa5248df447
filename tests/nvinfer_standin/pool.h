// Device memory that a program's values share as far as their lives allow.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/cuda/memory.h"

namespace tessera::standin {

// A block goes back to the pool when its last owner is gone; the next one that fits takes it. That is right
// because all work runs on one stream in the order in which it was built. The pool outlives the program's
// launches.
class Pool {
 public:
  explicit Pool(DeviceId device) : state_(std::make_shared<State>(device)) {}
  Result<std::shared_ptr<void>> Take(size_t bytes);
  size_t total() const { return state_->total; }

 private:
  struct State {
    explicit State(DeviceId id) : device(id) {}
    DeviceId device;
    size_t total = 0;
    std::vector<cuda::DeviceBuffer> owned;
    std::multimap<size_t, void*> free;
  };
  std::shared_ptr<State> state_;
};

}  // namespace tessera::standin
