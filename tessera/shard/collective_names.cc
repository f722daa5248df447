#include "tessera/shard/collective_names.h"

#include <map>
#include <string>

#include "tessera/plan/dist_collective.h"

namespace tessera::shard {
namespace {

std::string Unused(const std::string& wanted, const std::map<std::string, int>& nodes_named) {
  std::string name = wanted;
  for (int number = 2; nodes_named.contains(name); ++number) name = wanted + "_" + std::to_string(number);
  return name;
}

}  // namespace

void MakeCollectiveNamesUnique(RankModel& model) {
  std::map<std::string, int> nodes_named;
  for (const graph::Node& node : model.graph.nodes()) ++nodes_named[node.name];
  std::map<std::string, std::string> renamed;
  for (size_t n = 0; n < model.graph.nodes().size(); ++n) {
    graph::Node& node = model.graph.node(graph::NodeId(static_cast<int32_t>(n)));
    if (node.op_type != plan::dist_collective::kOpType || nodes_named[node.name] < 2) continue;
    const std::string operation = node.String(plan::dist_collective::kOperation, "collective");
    const std::string name = Unused(node.name + "/" + operation, nodes_named);
    ++nodes_named[name];
    renamed.emplace(node.name, name);
    node.name = name;
  }
  for (plan::CollectivePlan& collective : model.collectives) {
    if (const auto at = renamed.find(collective.name); at != renamed.end()) collective.name = at->second;
  }
}

}  // namespace tessera::shard
