// The compiler without files: a graph in, the sharded model out.
#pragma once

#include "tessera/base/result.h"
#include "tessera/shard/rank_model.h"
#include "tessera/shard/shard.h"

namespace tessera::shard {

struct Compiled {
  RankModel model;
  std::string strategy;     // that was taken
  double predicted_us = 0;  // of a step
  double weight_bytes = 0;  // of the operands that tensor parallelism wants to split: all, and held by a rank
  double held_bytes = 0;
};

// Shapes must be inferred. Errors: kInvalidArgument (ranks, strategy), kUnsupported (nothing can be split:
// says why).
Result<Compiled> Compile(const graph::Graph& graph, const Options& options);

}  // namespace tessera::shard
