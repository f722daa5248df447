#include "tessera/shard/report/node_view.h"

#include <fmt/format.h>

#include <set>

#include "tessera/plan/dist_collective.h"

namespace tessera::shard::report {
namespace {

using graph::ValueId;

class Viewer {
 public:
  Viewer(const graph::Graph& model, const RankModel& ranks) : model_(model), ranks_(ranks) {}

  std::vector<NodeView> Run() {
    std::vector<NodeView> views;
    for (const graph::Node& node : ranks_.graph.nodes()) views.push_back(View(node));
    return views;
  }

 private:
  NodeView View(const graph::Node& node) {
    NodeView view;
    view.name = node.name;
    view.op = node.op_type;
    if (!node.outputs.empty() && node.outputs[0] != graph::kNoValue) DescribeOutput(node.outputs[0], view);
    if (node.domain == plan::dist_collective::kDomain) {
      view.look = Look::kCollective;
      view.collective = collectives_++;
      view.op = Name(ranks_.collectives[static_cast<size_t>(view.collective)].op);
    }
    for (const ValueId id : node.inputs) {
      if (id != graph::kNoValue && ranks_.graph.value(id).constant) DescribeConstant(id, view);
    }
    return view;
  }

  void DescribeOutput(ValueId id, NodeView& view) const {
    const graph::Value& local = ranks_.graph.value(id);
    if (view.name.empty()) view.name = local.name;
    view.shape = fmt::format("{} {}", DTypeName(local.type), ToString(local.shape));
    const auto origin = ranks_.origin.find(id);
    if (origin == ranks_.origin.end()) return;
    const auto& [of, state] = origin->second;
    view.look = LookOf(state);
    view.state = state.ToString();
    if (state.split()) view.whole = ToString(model_.value(of).shape);
  }

  void DescribeConstant(ValueId id, NodeView& view) {
    const auto found = ranks_.constants.find(id);
    if (found == ranks_.constants.end()) return;
    const RankConstant& constant = found->second;
    const graph::Value& value = ranks_.graph.value(id);
    if (constant.whole && seen_.insert(id).second)
      view.weight_bytes +=
          constant.whole->bytes.size() / static_cast<size_t>(Pieces(constant.state, ranks_.parts));
    if (!constant.whole || value.shape.size() < 2) return;
    if (!view.weights.empty()) view.weights += ", ";
    view.weights += fmt::format("{} {}", constant.state.ToString(), ToString(value.shape));
  }

  const graph::Graph& model_;
  const RankModel& ranks_;
  std::set<ValueId> seen_;
  int collectives_ = 0;
};

}  // namespace

Look LookOf(const State& state) {
  return state.replicated() ? Look::kReplicated : state.split() ? Look::kSplit : Look::kPartial;
}

std::vector<NodeView> ViewsOf(const graph::Graph& model, const RankModel& ranks) {
  return Viewer(model, ranks).Run();
}

}  // namespace tessera::shard::report
