// Minimises a sum of costs of a few variables each: exactly, by bucket elimination, where the graph's
// treewidth is small; else as well as it can, with a bound on what is missing. Sources: R. Dechter, "Bucket
// elimination: a unifying framework for reasoning", 1999; R. Dechter and I. Rish, "Mini-buckets", 2003 (the
// bound).
#pragma once

#include <cstddef>
#include <vector>

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
    double cost = 0;          // theirs
    double lower_bound = 0;   // no choice of values costs less
    bool exact = true;        // none costs less than `values`: the bound is the cost
  };

  static constexpr size_t kMostEntries = size_t{1} << 24;

  // The minimum, if no intermediate table passes `most_entries`. Otherwise the best found: never worse than
  // value 0 for every variable, which ought to be allowed.
  Solution Minimize(size_t most_entries = kMostEntries) const;

  double CostOf(const std::vector<int>& values) const;

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
