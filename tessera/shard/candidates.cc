#include "tessera/shard/candidates.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "tessera/shard/key_projections.h"

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
  Propagator(const Graph& graph, const Space& space)
      : graph_(graph), space_(space), consumers_(graph.Consumers()) {
    result_.states.resize(graph.values().size());
    result_.rows.resize(graph.nodes().size());
    result_.inputs.resize(graph.inputs().size());
    result_.divisible = InputSymbols();
    const Division division{space.parts, result_.divisible, space.weights};
    const auto shared = SharedKeyProjections(graph, space.parts);
    for (const Node& node : graph.nodes()) {
      const OpView op(graph, node);
      auto rule = RuleFor(op);
      if (rule) ApplyTablePolicy(space.tables, graph, node, *rule);
      // Time alone decides how these are held: the search must not sum over ranks to hold less of them.
      const graph::NodeId id{static_cast<int32_t>(result_.makers.size())};
      if (rule && shared.contains(id)) rule->weights.clear();
      result_.makers.emplace_back(op, std::move(rule), division);
      result_.rows[result_.makers.size() - 1].push_back(result_.makers.back().Replicated());
    }
  }

  Candidates Run(const std::vector<Start>& starts) {
    for (const Start& start : starts) {
      AddRows(start.node, result_.makers[start.node].With(start.operand, start.state));
      AddState(OperandOf(start), start.state);
    }
    for (size_t n = 0; n < result_.makers.size(); ++n) {
      if (space_.weights) SeedWeights(n);
      if (space_.activations()) SeedProducts(n);
    }
    if (space_.activations()) SeedInputs();
    while (!open_.empty()) {
      const auto [value, state] = open_.front();
      open_.pop_front();
      Visit(value, state);
    }
    ListInputs();
    return std::move(result_);
  }

 private:
  ValueId OperandOf(const Start& start) const {
    const Node& node = graph_.nodes()[start.node];
    return (start.operand.output ? node.outputs : node.inputs)[static_cast<size_t>(start.operand.index)];
  }

  bool Starts(const graph::Value& value, size_t axis) const {
    if (value.shape[axis] == kDynamic && !space_.dynamic) return false;
    return axis == 0 ? space_.batch : space_.context;
  }

  // The dynamic sizes that are cut where the model begins: the executor refuses a request in which they do
  // not divide.
  std::set<int32_t> InputSymbols() const {
    std::set<int32_t> symbols;
    for (const ValueId id : graph_.inputs()) {
      const graph::Value& value = graph_.value(id);
      for (size_t axis = 0; axis < value.shape.size(); ++axis) {
        if (Starts(value, axis) && value.shape[axis] == kDynamic) symbols.insert(SymbolOf(value, axis));
      }
    }
    symbols.erase(-1);
    AddProducts(symbols);
    return symbols;
  }

  // A dimension that a reshape makes of several divides where one of them does.
  void AddProducts(std::set<int32_t>& symbols) const {
    for (const Node& node : graph_.nodes()) {
      if (symbols.empty() || (node.op_type != "Reshape" && node.op_type != "Flatten")) continue;
      const auto rule = RuleFor(OpView(graph_, node));
      if (!rule) continue;
      const graph::Value& out = graph_.value(node.outputs[0]);
      for (size_t d = 0; d < out.shape.size(); ++d) {
        const int32_t symbol = out.shape[d] == kDynamic ? SymbolOf(out, d) : -1;
        const FactorDim& dim = rule->outputs[0][d];
        const bool divides = std::any_of(dim.begin(), dim.end(), [&](int f) {
          const Factor& factor = rule->factors[static_cast<size_t>(f)];
          return factor.size == kDynamic ? symbols.contains(factor.symbol) : factor.size % space_.parts == 0;
        });
        if (symbol >= 0 && divides) symbols.insert(symbol);
      }
    }
  }

  // A start is any cut that divides; a consumer's rule says whether it leads anywhere.
  void SeedInputs() {
    for (const ValueId id : graph_.inputs()) {
      const graph::Value& value = graph_.value(id);
      for (size_t axis = 0; axis < value.shape.size(); ++axis) {
        const bool divides = value.shape[axis] == kDynamic || value.shape[axis] % space_.parts == 0;
        if (Starts(value, axis) && divides && value.shape[axis] != 0)
          AddState(id, State::Split(static_cast<int>(axis)));
      }
    }
  }

  // Products of two activations: where attention could be cut by heads or queries.
  void SeedProducts(size_t n) {
    const auto& rule = result_.makers[n].rule();
    const Node& node = graph_.nodes()[n];
    if (!rule || !rule->contraction || node.outputs.empty()) return;
    const graph::Value& out = graph_.value(node.outputs[0]);
    for (size_t axis = 0; axis < out.shape.size(); ++axis) {
      if (Starts(out, axis))
        AddRows(n, result_.makers[n].With({true, 0}, State::Split(static_cast<int>(axis))));
    }
  }

  // Plain cuts of the inputs that some consumer can use as they are.
  void ListInputs() {
    for (size_t i = 0; i < graph_.inputs().size(); ++i) {
      result_.inputs[i].insert(State::Replicated());
      if (!space_.activations()) continue;
      for (const State& state : result_.states[static_cast<size_t>(graph_.inputs()[i].value())]) {
        if (state.split() && state.cut.plain()) result_.inputs[i].insert(state);
      }
    }
  }

  void SeedWeights(size_t n) {
    const auto& rule = result_.makers[n].rule();
    if (!rule) return;
    const Node& node = graph_.nodes()[n];
    for (const size_t w : ConstantWeights(graph_, node, *rule)) {
      for (size_t axis = 0; axis < graph_.value(node.inputs[w]).shape.size(); ++axis) {
        AddRows(n,
                result_.makers[n].With({false, static_cast<int>(w)}, State::Split(static_cast<int>(axis))));
      }
    }
  }

  void Visit(ValueId value, const State& state) {
    const graph::NodeId producer = graph_.value(value).producer;
    if (producer != graph::kNoNode) VisitNode(static_cast<size_t>(producer.value()), value, state);
    for (const graph::NodeId consumer : consumers_[static_cast<size_t>(value.value())]) {
      // Copies are for those who take one's own part of them; products of copies would be work done twice.
      const auto& rule = result_.makers[static_cast<size_t>(consumer.value())].rule();
      if (state.split() && state.cut.copies() > 1 && rule && rule->contraction) continue;
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
      if (std::find(known.begin(), known.end(), row) != known.end() || !PartialsExist(n, row) ||
          !Allowed(n, row))
        continue;
      known.push_back(row);
      const Node& node = graph_.nodes()[n];
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        if (row.inputs[i]) AddState(node.inputs[i], *row.inputs[i]);
      }
      for (size_t i = 0; i < node.outputs.size(); ++i) AddState(node.outputs[i], row.outputs[i]);
    }
  }

  // Without tensor parallelism every rank has all weights.
  bool Allowed(size_t n, const Row& row) const {
    const auto& rule = result_.makers[n].rule();
    if (space_.weights || !rule) return true;
    const auto weights = ConstantWeights(graph_, graph_.nodes()[n], *rule);
    return std::none_of(weights.begin(), weights.end(),
                        [&](size_t i) { return row.inputs[i] && !row.inputs[i]->replicated(); });
  }

  // A partial input must be produced as one, or be a weight that one rank alone can hold; a row that waits
  // for another input comes again with it.
  bool PartialsExist(size_t n, const Row& row) const {
    const Node& node = graph_.nodes()[n];
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!row.inputs[i] || !row.inputs[i]->partial()) continue;
      const ValueId id = node.inputs[i];
      if (IsWeight(graph_, id)) continue;
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
  const Space space_;
  std::vector<std::vector<graph::NodeId>> consumers_;
  Candidates result_;
  std::deque<std::pair<ValueId, State>> open_;
};

}  // namespace

Candidates Propagate(const Graph& graph, const Space& space, const std::vector<Start>& starts) {
  return Propagator(graph, space).Run(starts);
}

}  // namespace tessera::shard
