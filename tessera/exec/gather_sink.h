// Places the ranks' outputs of one step in the caller's memory.
#pragma once

#include <optional>
#include <vector>

#include "tessera/base/mutex.h"
#include "tessera/engine/rank_group.h"
#include "tessera/exec/executor.h"
#include "tessera/exec/layout.h"

namespace tessera::exec {

class GatherSink final : public engine::OutputSink {
 public:
  // Both outlive this.
  GatherSink(const Layout& layout, OutputTarget& target)
      : layout_(layout), target_(target), wholes_(layout.output_count()) {}

  // A replicated output is taken from rank 0, one of a rank from that rank; of a split one each rank gets its
  // strided part of the whole, which the first rank asks for. Errors: the target's, kInternal (not what the
  // plan says).
  Result<Region> Place(Rank rank, int index, DType type, const Shape& shape) override EXCLUDES(mutex_);

  // After the step: kInternal when an output of the model was not placed by any rank.
  Result<void> Finish() EXCLUDES(mutex_);

 private:
  // A model output, once the first of its ranks has asked.
  struct Whole {
    Shape local;
    Result<Region> place;
  };

  Result<Region> PlaceWhole(const Layout::Output& output, DType type, const Shape& local);

  const Layout& layout_;
  OutputTarget& target_;
  Mutex mutex_;
  std::vector<std::optional<Whole>> wholes_ GUARDED_BY(mutex_);  // by the engine's index
};

}  // namespace tessera::exec
