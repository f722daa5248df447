// Memory that a model's ranks are fed from best, and copies to and from it: for whoever puts several requests
// together, or has a request in memory that it cannot touch.
#pragma once

#include "tessera/base/deadline.h"
#include "tessera/base/memory.h"
#include "tessera/base/result.h"

namespace tessera::engine {

// Not thread-safe.
class Mover {
 public:
  virtual ~Mover() = default;

  // Rank 0's device.
  virtual DeviceId device() const = 0;

  // At least `bytes` there, for `slot` (0, 1, ..); the same memory again until more is asked for. Blocks when
  // memory is made. Errors: kUnavailable (no memory).
  virtual Result<Region> Reserve(size_t slot, size_t bytes) = 0;

  // Issues a copy between dense regions of the same size, of any kind. They stay until Wait.
  virtual Result<void> Copy(const ConstRegion& from, const Region& to) = 0;
  // Blocks until every copy is done. Errors: kDeadline, those of the copies.
  virtual Result<void> Wait(Deadline deadline) = 0;
};

}  // namespace tessera::engine
