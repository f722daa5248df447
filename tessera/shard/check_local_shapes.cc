#include <algorithm>

#include "tessera/shard/check.h"

namespace tessera::shard {

Result<void> CheckLocalShapes(const RankModel& ranks, graph::ShapeOracle& oracle) {
  graph::Graph inferred = ranks.graph;
  for (const graph::Value& value : ranks.graph.values()) {
    if (value.producer == graph::kNoNode) continue;
    graph::Value& open = inferred.value(*inferred.FindValue(value.name));
    open.has_shape = false;
    open.shape.clear();
    open.symbols.clear();
  }
  TRY(oracle.Infer(inferred));
  for (size_t v = 0; v < ranks.graph.values().size(); ++v) {
    const graph::Value& declared = ranks.graph.values()[v];
    const graph::Value& found = inferred.values()[v];
    if (!declared.has_shape || !found.has_shape) continue;
    const bool fits = std::ranges::equal(declared.shape, found.shape, [](int64_t a, int64_t b) {
      return a == b || a == kDynamic || b == kDynamic;
    });
    if (!fits)
      return Fail(Code::kInternal, "value '{}' is declared {}, its ops make {}", declared.name,
                  ToString(declared.shape), ToString(found.shape));
  }
  return {};
}

}  // namespace tessera::shard
