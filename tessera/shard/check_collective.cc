#include "tessera/shard/check_collective.h"

#include "tessera/plan/dist_collective.h"

namespace tessera::shard::check {

namespace dist = plan::dist_collective;

Result<void> CheckCollective(const graph::Graph& graph, const graph::Node& node,
                             const plan::CollectivePlan& planned, int parts) {
  const auto wrong = [&](const char* what) {
    return Fail(Code::kInternal, "collective '{}': {}", node.name, what);
  };
  if (node.domain != dist::kDomain || node.inputs.size() != 1 || node.outputs.size() != 1)
    return wrong("has not one input and one output, or stands in another domain");
  for (const char* name :
       {dist::kOperation, dist::kReduceOp, dist::kRoot, dist::kRankCount, dist::kGroups, dist::kGroupSize}) {
    if (node.Find(name) == nullptr) return wrong("lacks an attribute");
  }
  if (node.name != planned.name || node.String(dist::kOperation, "") != Name(planned.op) ||
      node.String(dist::kReduceOp, "") != Name(planned.reduce))
    return wrong("is not the one that the plan lists in its place");
  if (node.Int(dist::kRankCount, 0) != parts) return wrong("its nb_rank is not the number of ranks");
  if (node.Int(dist::kRoot, 0) != dist::kNoRoot || !node.Ints(dist::kGroups).empty() ||
      node.Int(dist::kGroupSize, -1) != 0)
    return wrong("is not one of all ranks");
  const graph::Value& sent = graph.value(node.inputs[0]);
  if (sent.type != planned.type || (sent.has_shape && sent.shape != planned.shape))
    return wrong("sends another shape than planned");
  return {};
}

}  // namespace tessera::shard::check
