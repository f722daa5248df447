// One rank's model, loaded: what an engine has to write when its ranks run a thread each
// (threaded_rank_group.h).
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "tessera/base/deadline.h"
#include "tessera/base/result.h"
#include "tessera/comm/communicator.h"
#include "tessera/engine/rank_group.h"

namespace tessera::engine {

class RankSession {
 public:
  virtual ~RankSession() = default;

  // As RankGroup::inputs() and outputs().
  virtual const std::vector<TensorSpec>& inputs() const = 0;
  virtual const std::vector<TensorSpec>& outputs() const = 0;

  // Runs one step of this rank and blocks until it is done and `inputs` and what `sink` gave are no longer
  // touched. From one thread at a time, most often the same. `inputs` fit inputs(). Collectives get
  // `deadline`. Any error leaves the group unusable; an error of a collective is returned as it is.
  virtual Result<void> Run(const RankInputs& inputs, OutputSink& sink, Rank rank, Deadline deadline) = 0;

  // Makes a Run in progress return soon, with any error. Any thread; at most once, nothing runs afterwards.
  virtual void Cancel() noexcept = 0;
};

// Makes the session of the rank that `end` belongs to. Called in that rank's own thread, on all ranks at the
// same time, so a warm-up may run collectives. `end` outlives the session.
using SessionFactory =
    std::function<Result<std::unique_ptr<RankSession>>(comm::Communicator& end, Deadline deadline)>;

}  // namespace tessera::engine
