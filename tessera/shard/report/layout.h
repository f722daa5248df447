// Places the nodes of a small directed graph in rows, for drawing from top to bottom.
#pragma once

#include <utility>
#include <vector>

namespace tessera::shard::report {

struct Place {
  int row = 0;        // 0 at the top
  double column = 0;  // centre, in widths of a node; may be negative
};

// Every node stands below all that lead to it, beside its likes, near the middle of what leads to it. `edges`
// go from a lower to a higher number.
std::vector<Place> LayOut(int nodes, const std::vector<std::pair<int, int>>& edges);

}  // namespace tessera::shard::report
