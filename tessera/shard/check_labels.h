// Which dimensions of an op's operands go together, for the checker: a table of its own, apart from the
// rules.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tessera/graph/graph.h"

namespace tessera::shard {

// A letter for each dimension of each input and output; operands cut along one letter give outputs cut along
// it.
// '.' = must be whole. An operand with fewer letters than dimensions must be whole altogether.
struct Labels {
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::string summed;  // cutting one of these letters leaves partial sums, maxima ...
  std::string averaged;
  std::string maximal;
  std::string minimal;
  std::string even;  // letters that may be cut plainly only, where `units` (heads, groups) divide too
  int64_t units = 0;
  // Attributes that count those units on the rank.
  std::vector<std::string> divided;
  // Inputs in which the op is linear together, and those that are added once.
  std::vector<std::vector<int>> linear;
  std::vector<int> addends;
};

// nullopt: nothing is known of the op (or of this form of it).
std::optional<Labels> LabelsOf(const graph::Graph& model, const graph::Node& node);

}  // namespace tessera::shard
