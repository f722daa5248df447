#include "tessera/shard/candidates.h"

#include <algorithm>
#include <deque>
#include <utility>

namespace tessera::shard {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;

// More states than this at one value are not followed: they are regroupings of the same cut that no model
// needs.
constexpr size_t kMostStates = 16;

class Propagator {
 public:
  Propagator(const Graph& graph, int parts) : graph_(graph), consumers_(graph.Consumers()) {
    result_.states.resize(graph.values().size());
    result_.rows.resize(graph.nodes().size());
    for (const Node& node : graph.nodes()) {
      const OpView op(graph, node);
      result_.makers.emplace_back(op, RuleFor(op), parts);
      result_.rows[result_.makers.size() - 1].push_back(result_.makers.back().Replicated());
    }
  }

  Candidates Run() {
    for (size_t n = 0; n < result_.makers.size(); ++n) SeedWeights(n);
    while (!open_.empty()) {
      const auto [value, state] = open_.front();
      open_.pop_front();
      Visit(value, state);
    }
    return std::move(result_);
  }

 private:
  void SeedWeights(size_t n) {
    const auto& rule = result_.makers[n].rule();
    if (!rule) return;
    const Node& node = graph_.nodes()[n];
    for (const int w : rule->weights) {
      if (static_cast<size_t>(w) >= node.inputs.size()) continue;
      const ValueId id = node.inputs[static_cast<size_t>(w)];
      if (id == graph::kNoValue || !graph_.value(id).constant) continue;
      for (size_t axis = 0; axis < graph_.value(id).shape.size(); ++axis) {
        AddRows(n, result_.makers[n].With({false, w}, State::Split(static_cast<int>(axis))));
      }
    }
  }

  void Visit(ValueId value, const State& state) {
    const graph::NodeId producer = graph_.value(value).producer;
    if (producer != graph::kNoNode) VisitNode(static_cast<size_t>(producer.value()), value, state);
    for (const graph::NodeId consumer : consumers_[static_cast<size_t>(value.value())]) {
      VisitNode(static_cast<size_t>(consumer.value()), value, state);
    }
  }

  void VisitNode(size_t n, ValueId value, const State& state) {
    const Node& node = graph_.nodes()[n];
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == value) AddRows(n, result_.makers[n].With({false, static_cast<int>(i)}, state));
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == value) AddRows(n, result_.makers[n].With({true, static_cast<int>(i)}, state));
    }
  }

  void AddRows(size_t n, const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      auto& known = result_.rows[n];
      if (std::find(known.begin(), known.end(), row) != known.end() || !PartialsExist(n, row)) continue;
      known.push_back(row);
      const Node& node = graph_.nodes()[n];
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        if (row.inputs[i]) AddState(node.inputs[i], *row.inputs[i]);
      }
      for (size_t i = 0; i < node.outputs.size(); ++i) AddState(node.outputs[i], row.outputs[i]);
    }
  }

  // A partial input must be produced as one, or be a constant; a row that waits for another input comes again
  // with it.
  bool PartialsExist(size_t n, const Row& row) const {
    const Node& node = graph_.nodes()[n];
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!row.inputs[i] || !row.inputs[i]->partial()) continue;
      const ValueId id = node.inputs[i];
      if (graph_.value(id).constant) continue;
      if (!result_.states[static_cast<size_t>(id.value())].contains(*row.inputs[i])) return false;
    }
    return true;
  }

  void AddState(ValueId id, const State& state) {
    if (id == graph::kNoValue || state.replicated() || graph_.value(id).constant) return;
    auto& states = result_.states[static_cast<size_t>(id.value())];
    if (states.size() >= kMostStates || !states.insert(state).second) return;
    open_.emplace_back(id, state);
  }

  const Graph& graph_;
  std::vector<std::vector<graph::NodeId>> consumers_;
  Candidates result_;
  std::deque<std::pair<ValueId, State>> open_;
};

}  // namespace

Candidates Propagate(const Graph& graph, int parts) {
  return Propagator(graph, parts).Run();
}

}  // namespace tessera::shard
