// Memory beside requests', and copies between the two.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "tessera/base/deadline.h"
#include "tessera/base/memory.h"
#include "tessera/base/result.h"
#include "tessera/engine/mover.h"

namespace tessera::triton {

// Memory that grows to what was asked most and is then kept; aligned for vector instructions.
class Staging {
 public:
  // Valid until the next Reserve.
  MutableBytes Reserve(size_t bytes);

 private:
  struct Free {
    void operator()(std::byte* p) const noexcept;
  };
  std::unique_ptr<std::byte[], Free> memory_;
  size_t capacity_ = 0;
};

// Copies between requests' memory and ours, at once where the host can, else through `mover`.
class Copies {
 public:
  // Null: there is host memory only.
  explicit Copies(std::unique_ptr<engine::Mover> mover) : mover_(std::move(mover)) {}
  // Memory near the ranks if `on_device`, else of the host.
  Result<Region> Reserve(size_t slot, size_t bytes, bool on_device);
  Result<void> Copy(const ConstRegion& from, const Region& to);
  // Blocks until all copies are done, whether all were `issued` or not: requests' memory is not touched any
  // more. Errors: that of `issued`, kDeadline, those of the copies.
  Result<void> Finish(Result<void> issued, Deadline deadline);

  // How long copies are waited for beyond the deadline: who is told of it frees what they touch.
  static constexpr std::chrono::seconds kLeaveLimit{5};

 private:
  std::unique_ptr<engine::Mover> mover_;
  std::vector<Staging> staging_;
  bool moving_ = false;
};

}  // namespace tessera::triton
