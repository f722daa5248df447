// The sharded model: one graph for all ranks, whose constants differ from rank to rank.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "tessera/graph/graph.h"
#include "tessera/plan/plan.h"
#include "tessera/shard/state.h"

namespace tessera::shard {

// A constant of the rank graphs: a piece of one of the model's, or one made for each rank.
struct RankConstant {
  std::shared_ptr<const graph::Constant>
      whole;  // the model's, held in `state`; partial: zero on all ranks but 0
  State state;
  std::vector<graph::Constant> by_rank;  // used instead where not empty

  bool shared() const { return by_rank.empty() && state.replicated(); }
};

// What `rank` of `parts` holds. A piece that lies in one run is a view of the whole, another one a copy.
graph::Constant OnRank(const RankConstant& constant, int rank, int parts);

struct RankModel {
  graph::Graph graph;  // local shapes; a constant's bytes are those of rank 0 where they are small, else none
  int parts = 1;
  std::map<graph::ValueId, RankConstant> constants;
  std::vector<plan::CollectivePlan> collectives;  // in the order of issue
  std::vector<double> collective_us;              // predicted, what stands around a collective included
  std::vector<State> inputs;                      // by model input
  std::vector<State> outputs;                     // by model output
  // What each value of `graph` holds of which value of the unsharded model, for lock-step comparison.
  std::map<graph::ValueId, std::pair<graph::ValueId, State>> origin;
};

}  // namespace tessera::shard
