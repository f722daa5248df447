// The compiler without files: a graph in, the sharded model out.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/shard/hints.h"
#include "tessera/shard/rank_model.h"
#include "tessera/shard/shard.h"

namespace tessera::shard {

struct Compiled {
  RankModel model;
  std::set<int32_t> divisible;  // symbols of sizes that requests must keep multiples of the number of ranks
  Alternative taken;
  std::string axis;  // of the mesh
  std::map<std::string, std::vector<graph::ShardedTensor>>
      annotations;                        // of the plan, if wanted: see hints.h
  std::vector<Alternative> alternatives;  // see Outcome
  std::vector<Alternative> pareto;
  std::string machine;  // by whose figures
  std::string reason;
};

// Shapes must be inferred. Errors: kInvalidArgument (ranks, strategy, a machine
// of another device than the engine's), kUnsupported (nothing can be split:
// says why).
Result<Compiled> Compile(const graph::Graph& graph, const Options& options,
                         const std::vector<Hint>& hints = {});

}  // namespace tessera::shard
