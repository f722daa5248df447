#include "tessera/shard/tables.h"

#include <algorithm>

namespace tessera::shard {
namespace {

constexpr int64_t kShare = 10;  // a table is large from 1/kShare of the model on

}  // namespace

TablePolicy LargeTablesAreWeights(const graph::Graph& graph) {
  int64_t bytes = 0;
  for (const graph::Value& value : graph.values()) {
    if (value.constant) bytes += static_cast<int64_t>(value.constant->bytes.size());
  }
  return {false, bytes / kShare + 1};
}

void ApplyTablePolicy(const TablePolicy& policy, const graph::Graph& graph, const graph::Node& node,
                      Rule& rule) {
  if (node.op_type != "Gather") return;
  const graph::ValueId table = node.inputs[0];
  if (!IsWeight(graph, table) || graph.value(table).shape.size() > 2) return;
  if (policy.whole) {
    for (const FactorDim& dim : rule.inputs[0]) {
      for (const int factor : dim) rule.factors[static_cast<size_t>(factor)].whole = true;
    }
  } else if (StoredBytes(graph, table) >= policy.weight_from) {
    rule.weights = {0};
  }
}

}  // namespace tessera::shard
