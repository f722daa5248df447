#include "tessera/shard/search.h"

#include <algorithm>

namespace tessera::shard {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;

// Variables: a row for every node, a placement for every value that more than one row could produce or ask
// for.
class Problem {
 public:
  Problem(const Graph& graph, const Candidates& candidates, const CostModel& cost)
      : graph_(graph), candidates_(candidates), cost_(cost) {}

  Result<Assignment> Solve(size_t most_entries) {
    CollectPlacements();
    for (size_t v = 0; v < placements_.size(); ++v) {
      const ValueId id{static_cast<int32_t>(v)};
      if (placements_[v].empty() && candidates_.delivered.contains(id) && !graph_.value(id).constant)
        return NoPlan();
    }
    AddNodes();
    AddSharedWeights();
    AddValues();
    const CostNetwork::Solution solution = network_.Minimize(most_entries);
    if (solution.cost >= kForbidden) return NoPlan();
    return Read(solution);
  }

 private:
  tl::unexpected<Error> NoPlan() const {
    if (candidates_.delivered.empty())
      return Fail(Code::kInternal, "no plan satisfies every op: this is a defect of a rule");
    return Fail(Code::kUnsupported, "no plan satisfies all annotations");
  }

  static size_t Index(ValueId id) { return static_cast<size_t>(id.value()); }

  // Every state that the producer could leave a value in, with every state that one collective could add.
  void CollectPlacements() {
    placements_.resize(graph_.values().size());
    std::vector<std::set<State>> produced(placements_.size());
    std::vector<std::set<State>> wanted(placements_.size());
    for (size_t n = 0; n < graph_.nodes().size(); ++n) {
      const Node& node = graph_.nodes()[n];
      for (const Row& row : candidates_.rows[n]) {
        for (size_t i = 0; i < node.outputs.size(); ++i) {
          if (node.outputs[i] != graph::kNoValue) produced[Index(node.outputs[i])].insert(row.outputs[i]);
        }
        for (size_t i = 0; i < node.inputs.size(); ++i) {
          if (node.inputs[i] != graph::kNoValue && row.inputs[i])
            wanted[Index(node.inputs[i])].insert(*row.inputs[i]);
        }
      }
    }
    for (size_t i = 0; i < graph_.inputs().size(); ++i)
      produced[Index(graph_.inputs()[i])] = candidates_.inputs[i];
    for (size_t v = 0; v < placements_.size(); ++v) {
      const ValueId id{static_cast<int32_t>(v)};
      if (graph_.value(id).constant || produced[v].empty()) continue;
      wanted[v].insert(State::Replicated());
      const auto delivered = candidates_.delivered.find(id);
      if (delivered != candidates_.delivered.end()) wanted[v].insert(delivered->second);
      for (const State& from : produced[v]) {
        placements_[v].push_back({from, std::nullopt});
        for (const State& to : wanted[v]) {
          const auto conversion = cost_.Convert(id, from, to);
          if (conversion.collective && conversion.us < kForbidden) placements_[v].push_back({from, to});
        }
      }
      if (delivered != candidates_.delivered.end())
        std::erase_if(placements_[v], [&](const Placement& p) { return !Delivers(p, delivered->second); });
    }
  }

  static bool Delivers(const Placement& placement, const State& state) {
    return placement.produced == state || (placement.produced.partial() && placement.made == state);
  }

  void AddNodes() {
    for (size_t n = 0; n < graph_.nodes().size(); ++n) {
      const auto& rows = candidates_.rows[n];
      row_variables_.push_back(network_.AddVariable(static_cast<int>(rows.size())));
      std::vector<double> costs;
      for (const Row& row : rows) {
        double cost = cost_.NodeCost(graph_.nodes()[n], candidates_.makers[n], row);
        cost += ConstantInputs(graph_.nodes()[n], row);
        costs.push_back(cost);
      }
      network_.AddUnary(row_variables_.back(), costs);
    }
  }

  double ConstantInputs(const Node& node, const Row& row) const {
    double cost = 0;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      if (id == graph::kNoValue || !graph_.value(id).constant || !row.inputs[i]) continue;
      cost += cost_.Convert(id, State::Replicated(), *row.inputs[i]).us;
    }
    return cost;
  }

  // A weight that several nodes read has a variable: the state in which it is held. A node that wants it in
  // another one pays for a second piece.
  void AddSharedWeights() {
    std::map<ValueId, std::vector<std::pair<size_t, size_t>>> users;  // (node, input)
    for (size_t n = 0; n < graph_.nodes().size(); ++n) {
      for (const size_t i : cost_.SharedWeights(graph_.nodes()[n], candidates_.makers[n]))
        users[graph_.nodes()[n].inputs[i]].emplace_back(n, i);
    }
    for (const auto& [id, uses] : users) {
      std::set<State> wanted;
      for (const auto& [n, i] : uses) {
        for (const Row& row : candidates_.rows[n]) wanted.insert(row.inputs[i].value_or(State::Replicated()));
      }
      AddSharedWeight(id, uses, {wanted.begin(), wanted.end()});
    }
  }

  void AddSharedWeight(ValueId id, const std::vector<std::pair<size_t, size_t>>& uses,
                       const std::vector<State>& states) {
    const int variable = network_.AddVariable(static_cast<int>(states.size()));
    std::vector<double> costs;
    for (const State& s : states) costs.push_back(cost_.WeightCost(id, s));
    network_.AddUnary(variable, costs);
    for (const auto& [n, i] : uses) {
      std::vector<double> others;
      for (const Row& row : candidates_.rows[n]) {
        const State wanted = row.inputs[i].value_or(State::Replicated());
        for (const State& s : states) others.push_back(wanted == s ? 0 : cost_.WeightCost(id, wanted));
      }
      network_.AddPair(row_variables_[n], variable, others);
    }
  }

  void AddValues() {
    value_variables_.assign(placements_.size(), -1);
    for (size_t v = 0; v < placements_.size(); ++v) {
      const ValueId id{static_cast<int32_t>(v)};
      if (placements_[v].empty()) continue;
      value_variables_[v] = network_.AddVariable(static_cast<int>(placements_[v].size()));
      std::vector<double> costs;
      for (const Placement& p : placements_[v])
        costs.push_back(p.made ? cost_.Convert(id, p.produced, *p.made).us : 0);
      network_.AddUnary(value_variables_[v], costs);
    }
    for (size_t n = 0; n < graph_.nodes().size(); ++n) {
      Connect(n);
    }
    for (const ValueId id : graph_.outputs()) Output(id);
  }

  void Connect(size_t n) {
    const Node& node = graph_.nodes()[n];
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == graph::kNoValue) continue;
      Pair(n, node.outputs[i],
           [&](const Row& row, const Placement& p) { return row.outputs[i] == p.produced ? 0 : kForbidden; });
    }
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      if (id == graph::kNoValue || graph_.value(id).constant) continue;
      Pair(n, id, [&](const Row& row, const Placement& p) {
        return row.inputs[i] ? Taking(id, p, *row.inputs[i]) : 0;
      });
    }
    for (const auto& attribute : node.attributes) {
      for (const ValueId id : attribute.captured) {
        if (graph_.value(id).constant) continue;
        Pair(n, id, [&](const Row&, const Placement& p) { return Taking(id, p, State::Replicated()); });
      }
    }
  }

  template <class Cost>
  void Pair(size_t n, ValueId id, const Cost& cost) {
    const auto& rows = candidates_.rows[n];
    const auto& placements = placements_[Index(id)];
    if (rows.size() == 1 || placements.size() == 1) {
      Single(n, id, cost);
      return;
    }
    std::vector<double> costs;
    for (const Row& row : rows) {
      for (const Placement& p : placements) costs.push_back(cost(row, p));
    }
    network_.AddPair(row_variables_[n], value_variables_[Index(id)], costs);
  }

  // One side has no choice: the other one pays alone, and the two need not be tied.
  template <class Cost>
  void Single(size_t n, ValueId id, const Cost& cost) {
    const auto& rows = candidates_.rows[n];
    const auto& placements = placements_[Index(id)];
    std::vector<double> costs;
    if (rows.size() == 1) {
      for (const Placement& p : placements) costs.push_back(cost(rows[0], p));
      network_.AddUnary(value_variables_[Index(id)], costs);
    } else {
      for (const Row& row : rows) costs.push_back(cost(row, placements[0]));
      network_.AddUnary(row_variables_[n], costs);
    }
  }

  // What a consumer pays for the state it wants: nothing, a slice, or it cannot have it.
  double Taking(ValueId id, const Placement& p, const State& wanted) const {
    if (!Available(p, wanted)) return kForbidden;
    if (wanted == p.produced || (p.made && wanted == *p.made)) return 0;
    return cost_.Convert(id, Refines(p.produced, wanted) ? p.produced : State::Replicated(), wanted).us;
  }

  // The cheapest way in which the executor can take a model output, over what is available.
  std::optional<State> OutputState(ValueId id, const Placement& p) const {
    std::optional<State> best;
    for (const State& s : {p.produced, p.made.value_or(p.produced)}) {
      if (cost_.OutputCost(id, s) >= kForbidden) continue;
      if (!best || cost_.OutputCost(id, s) < cost_.OutputCost(id, *best)) best = s;
    }
    return best;
  }

  void Output(ValueId id) {
    if (graph_.value(id).constant) return;
    std::vector<double> costs;
    for (const Placement& p : placements_[Index(id)]) {
      const auto state = OutputState(id, p);
      costs.push_back(state ? cost_.OutputCost(id, *state) : kForbidden);
    }
    network_.AddUnary(value_variables_[Index(id)], costs);
  }

  Assignment Read(const CostNetwork::Solution& solution) const {
    Assignment assignment;
    assignment.cost = solution.cost;
    assignment.lower_bound = solution.lower_bound;
    assignment.exact = solution.exact;
    for (const int variable : row_variables_)
      assignment.row.push_back(solution.values[static_cast<size_t>(variable)]);
    for (size_t v = 0; v < placements_.size(); ++v) {
      const int variable = value_variables_[v];
      assignment.placement.push_back(
          variable < 0 ? Placement{}
                       : placements_[v][static_cast<size_t>(solution.values[static_cast<size_t>(variable)])]);
    }
    for (const ValueId id : graph_.outputs()) {
      const bool constant = graph_.value(id).constant != nullptr;
      assignment.output.push_back(constant ? State::Replicated()
                                           : *OutputState(id, assignment.placement[Index(id)]));
    }
    return assignment;
  }

  const Graph& graph_;
  const Candidates& candidates_;
  const CostModel& cost_;
  CostNetwork network_;
  std::vector<std::vector<Placement>> placements_;  // by value; empty for constants
  std::vector<int> row_variables_;
  std::vector<int> value_variables_;
};

}  // namespace

bool Available(const Placement& placement, const State& wanted) {
  if (wanted == placement.produced || (placement.made && wanted == *placement.made)) return true;
  if (Refines(placement.produced, wanted)) return true;
  const bool whole = placement.produced.replicated() || (placement.made && placement.made->replicated());
  return whole && wanted.split();
}

Result<Assignment> Search(const Graph& graph, const Candidates& candidates, const CostModel& cost,
                          size_t most_entries) {
  return Problem(graph, candidates, cost).Solve(most_entries);
}

}  // namespace tessera::shard
