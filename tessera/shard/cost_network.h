// Minimises a sum of costs of a few variables each, exactly: bucket elimination over a graph of small
// treewidth. Source: R. Dechter, "Bucket elimination: a unifying framework for reasoning", 1999.
#pragma once

#include <vector>

#include "tessera/base/result.h"

namespace tessera::shard {

// A cost so high that the choice is forbidden; costs add up without overflow.
inline constexpr double kForbidden = 1e30;

class CostNetwork {
 public:
  // A variable with values 0 .. domain - 1 (domain >= 1); gives its number.
  int AddVariable(int domain);
  int variables() const { return static_cast<int>(domains_.size()); }

  // costs[value]
  void AddUnary(int variable, const std::vector<double>& costs);
  // costs[a * domain(b) + b]; a != b
  void AddPair(int a, int b, const std::vector<double>& costs);

  struct Solution {
    std::vector<int> values;  // by variable
    double cost = 0;
  };

  // Errors: kUnsupported when an intermediate table would pass `most_entries`.
  Result<Solution> Minimize(size_t most_entries = size_t{1} << 24) const;

 private:
  struct Table {
    std::vector<int> scope;     // ascending
    std::vector<double> costs;  // the last variable of scope varies fastest
  };
  friend class Elimination;

  std::vector<int> domains_;
  std::vector<Table> tables_;
};

}  // namespace tessera::shard
