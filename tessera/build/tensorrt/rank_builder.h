// One rank's ONNX file made into an engine.
#pragma once

#include "tessera/base/result.h"
#include "tessera/build/rank_build.h"

namespace tessera::build {

// Parses request.model, builds and writes request.engine. Takes seconds to hours, on one thread and the GPU
// if there is one. Errors, one line each: kUnavailable (no library, no GPU to build for), kNotFound (no
// driver), kUnsupported (the parser or the builder refuses the model: the node and the reason),
// kInvalidArgument (a profile or a compute capability).
Result<RankReport> BuildRank(const RankRequest& request);

}  // namespace tessera::build
