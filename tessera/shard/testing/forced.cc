#include "tessera/shard/testing/forced.h"

#include <algorithm>

#include "tessera/shard/cost_network.h"
#include "tessera/shard/emitter.h"
#include "tessera/shard/known_elements.h"
#include "tessera/shard/local_across.h"
#include "tessera/shard/local_edits.h"
#include "tessera/shard/local_lookup.h"
#include "tessera/shard/testing/describe.h"

namespace tessera::shard::testing {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;

size_t Index(ValueId id) {
  return static_cast<size_t>(id.value());
}

class Chooser {
 public:
  Chooser(const Graph& graph, const Candidates& candidates, const CostModel& cost, std::mt19937& random)
      : graph_(graph), candidates_(candidates), cost_(cost), random_(random), wanted_(graph.values().size()) {
    assignment_.placement.resize(graph.values().size());
  }

  Assignment Run() {
    for (size_t n = 0; n < graph_.nodes().size(); ++n) ChooseRow(n);
    for (const ValueId id : graph_.outputs()) ChooseOutput(id);
    for (size_t v = 0; v < wanted_.size(); ++v) Place(ValueId{static_cast<int32_t>(v)});
    return std::move(assignment_);
  }

 private:
  template <class T>
  const T& Any(const std::vector<T>& of) {
    return of[std::uniform_int_distribution<size_t>(0, of.size() - 1)(random_)];
  }

  const State& Produced(ValueId id) const { return assignment_.placement[Index(id)].produced; }

  void ChooseRow(size_t n) {
    const Node& node = graph_.nodes()[n];
    std::vector<int> possible;
    for (size_t r = 0; r < candidates_.rows[n].size(); ++r) {
      if (Possible(node, candidates_.rows[n][r])) possible.push_back(static_cast<int>(r));
    }
    assignment_.row.push_back(Any(possible));
    const Row& row = candidates_.rows[n][static_cast<size_t>(assignment_.row.back())];
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] != graph::kNoValue && row.inputs[i])
        wanted_[Index(node.inputs[i])].insert(*row.inputs[i]);
    }
    for (const auto& attribute : node.attributes) {
      for (const ValueId id : attribute.captured) wanted_[Index(id)].insert(State::Replicated());
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] != graph::kNoValue)
        assignment_.placement[Index(node.outputs[i])].produced = row.outputs[i];
    }
  }

  bool Possible(const Node& node, const Row& row) const {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      if (id == graph::kNoValue || !row.inputs[i]) continue;
      const bool constant = graph_.value(id).constant != nullptr;
      const State from = constant ? State::Replicated() : Produced(id);
      if (row.inputs[i]->partial() && !constant && from != *row.inputs[i]) return false;
      const bool whole = constant || from == *row.inputs[i];
      const State source = whole ? from : State::Replicated();
      if (cost_.Convert(id, source, *row.inputs[i]).us >= kForbidden) return false;
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] != graph::kNoValue &&
          cost_.Convert(node.outputs[i], row.outputs[i], State::Replicated()).us >= kForbidden)
        return false;
    }
    return true;
  }

  void ChooseOutput(ValueId id) {
    State state = Produced(id);
    if (graph_.value(id).constant || cost_.OutputCost(id, state) >= kForbidden || random_() % 2 == 0)
      state = State::Replicated();
    assignment_.output.push_back(state);
    wanted_[Index(id)].insert(state);
  }

  // One collective a value: straight to the only other state, or to the whole, of which all others are
  // slices.
  void Place(ValueId id) {
    Placement& placement = assignment_.placement[Index(id)];
    if (graph_.value(id).constant || placement.produced.replicated()) return;
    std::vector<State> others;
    for (const State& s : wanted_[Index(id)]) {
      if (s != placement.produced) others.push_back(s);
    }
    if (others.empty()) return;
    const bool straight = others.size() == 1 && random_() % 2 == 0 &&
                          cost_.Convert(id, placement.produced, others[0]).us < kForbidden;
    placement.made = straight ? others[0] : State::Replicated();
  }

  const Graph& graph_;
  const Candidates& candidates_;
  const CostModel& cost_;
  std::mt19937& random_;
  Assignment assignment_;
  std::vector<std::set<State>> wanted_;
};

}  // namespace

Candidates AllCandidates(const Graph& graph, int parts) {
  Candidates candidates;
  candidates.states.resize(graph.values().size());
  for (const Node& node : graph.nodes()) {
    const OpView op(graph, node);
    candidates.makers.emplace_back(op, RuleFor(op), Division{parts, {}});
    const Rows& rows = candidates.makers.back();
    candidates.rows.push_back({rows.Replicated()});
    if (!rows.rule()) continue;
    for (Row& row : AllRows(rows, op)) candidates.rows.back().push_back(std::move(row));
  }
  return candidates;
}

Result<void> Pin(const Graph& graph, const std::map<ValueId, State>& held, Candidates& candidates) {
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& node = graph.nodes()[n];
    std::erase_if(candidates.rows[n], [&](const Row& row) {
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        const auto wanted = held.find(node.inputs[i]);
        if (wanted != held.end() && row.inputs[i] && *row.inputs[i] != wanted->second) return true;
      }
      return false;
    });
    if (candidates.rows[n].empty())
      return Fail(Code::kUnsupported, "node '{}' ({}) has no row in which its weights are held so", node.name,
                  node.op_type);
  }
  return {};
}

Assignment RandomAssignment(const Graph& graph, const Candidates& candidates, const CostModel& cost,
                            std::mt19937& random) {
  return Chooser(graph, candidates, cost, random).Run();
}

Result<RankModel> NodeByRow(const Graph& graph, size_t n, const Rows& rows, const Row& row, int parts) {
  const Node& original = graph.nodes()[n];
  RankModel model;
  model.parts = parts;
  model.graph.name = graph.name;
  model.graph.ir_version = graph.ir_version;
  model.graph.opsets = graph.opsets;
  Emitter emitter(model, "tp");
  Node node = original;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId id = original.inputs[i];
    if (id == graph::kNoValue) continue;
    const graph::Value& whole = graph.value(id);
    const State state = row.inputs[i].value_or(State::Replicated());
    if (whole.constant) {
      RankConstant constant{whole.constant, state, {}};
      node.inputs[i] = model.graph.AddConstant(whole.name, OnRank(constant, 0, parts));
      model.constants[node.inputs[i]] = std::move(constant);
      continue;
    }
    node.inputs[i] = emitter.Value(whole.name, whole, LocalShape(whole.shape, state, parts));
    model.graph.inputs().push_back(node.inputs[i]);
    model.inputs.push_back(state);
  }
  if (rows.rule()) TRY(ApplyEdits(emitter, graph, KnownElements(graph), original, *rows.rule(), row, node));
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const ValueId id = original.outputs[i];
    if (id == graph::kNoValue) continue;
    const graph::Value& whole = graph.value(id);
    node.outputs[i] = emitter.Value(whole.name, whole, LocalShape(whole.shape, row.outputs[i], parts));
    model.graph.outputs().push_back(node.outputs[i]);
    model.outputs.push_back(row.outputs[i]);
  }
  if (LooksAcross(rows.rule(), row))
    AddAcross(emitter, graph, original, std::move(node), 0);
  else
    AddToRank(emitter, graph, original, rows.rule(), row, std::move(node));
  return model;
}

}  // namespace tessera::shard::testing
