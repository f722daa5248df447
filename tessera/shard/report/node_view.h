// What the page tells of each node that a rank runs.
#pragma once

#include <string>
#include <vector>

#include "tessera/shard/rank_model.h"

namespace tessera::shard::report {

// The first letter is the node's class in the page's style: how its output lies over the ranks.
enum class Look : char {
  kReplicated = 'r',
  kSplit = 's',
  kPartial = 'p',
  kCollective = 'c',
  kInside = 'i',  // a step inside a conversion: no value of the model
};

Look LookOf(const State& state);

struct NodeView {
  std::string name;
  std::string op;
  Look look = Look::kInside;
  std::string state;          // of the first output: "R", "S(1)"; "" inside
  std::string shape;          // of the first output, on a rank: "FP32 [8,128,192]"
  std::string whole;          // its shape in the model, where cut: "[8,128,384]"
  std::string weights;        // constants of two or more dimensions: "S(1) [384,192]"
  uint64_t weight_bytes = 0;  // of all constants that this node is the first to read, on a rank
  int collective = -1;        // index into RankModel::collectives
};

// By node of `ranks.graph`.
std::vector<NodeView> ViewsOf(const graph::Graph& model, const RankModel& ranks);

}  // namespace tessera::shard::report
