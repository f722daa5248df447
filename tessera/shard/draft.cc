#include "tessera/shard/draft.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "tessera/shard/batch.h"
#include "tessera/shard/lean.h"

namespace tessera::shard {
namespace {

using graph::Graph;

// Every constant of the chosen rows, once in each state that it is held in.
class Census {
 public:
  Census(const Graph& graph, const Draft& draft) : graph_(graph), parts_(draft.parts) {
    for (size_t n = 0; n < graph.nodes().size(); ++n) {
      const auto& rule = draft.candidates->makers[n].rule();
      CountHeld(graph.nodes()[n], draft.RowOf(n));
      if (rule) CountWeights(graph.nodes()[n], *rule, draft.RowOf(n));
    }
  }

  double held() const { return held_; }          // all constants, bytes
  bool weights_split() const { return split_; }  // of a contraction
  bool has_weights() const { return !sizes_.empty(); }
  const std::map<int64_t, int>& sizes() const { return sizes_; }  // weights' dimensions -> how often

 private:
  void CountHeld(const graph::Node& node, const Row& row) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const graph::ValueId id = node.inputs[i];
      if (id == graph::kNoValue || !graph_.value(id).constant) continue;
      if (!held_once_.emplace(id, row.inputs[i].value_or(State::Replicated())).second) continue;
      const int pieces = Pieces(row.inputs[i].value_or(State::Replicated()), parts_);
      held_ += static_cast<double>(graph_.value(id).constant->bytes.size()) / pieces;
    }
  }

  void CountWeights(const graph::Node& node, const Rule& rule, const Row& row) {
    for (const size_t i : ConstantWeights(graph_, node, rule)) {
      split_ = split_ || (row.inputs[i] && row.inputs[i]->split());
      if (!sized_once_.insert(node.inputs[i]).second) continue;
      for (const int64_t size : graph_.value(node.inputs[i]).shape) ++sizes_[size];
    }
  }

  const Graph& graph_;
  int parts_;
  double held_ = 0;
  bool split_ = false;
  std::map<int64_t, int> sizes_;
  std::set<std::pair<graph::ValueId, State>> held_once_;
  std::set<graph::ValueId> sized_once_;
};

// Why no weight could be split: the sizes at hand, and rank counts that would do.
std::string WhyNoWeights(const Census& census, int ranks) {
  if (!census.has_weights())
    return "it has no MatMul, Gemm, Conv or Einsum with constant weights and no large table";
  std::vector<std::string> sizes;
  for (auto it = census.sizes().rbegin(); it != census.sizes().rend() && sizes.size() < 6; ++it) {
    sizes.push_back(fmt::format("{} ({}x)", it->first, it->second));
  }
  std::vector<int> others;
  for (int n = 2; n <= 16; ++n) {
    const bool fits = std::any_of(census.sizes().begin(), census.sizes().end(),
                                  [&](const auto& s) { return s.first > 1 && s.first % n == 0; });
    if (fits) others.push_back(n);
  }
  std::string why = fmt::format(
      "no dimension of its weights is a multiple of {} in a way that its ops allow; weights have sizes {}",
      ranks, fmt::join(sizes, ", "));
  if (!others.empty())
    why += fmt::format("; rank counts that divide one of them: {}", fmt::join(others, ", "));
  return why;
}

// What a step spends its time on; a slice of a whole value counts once for each state it is wanted in.
class Timing {
 public:
  Timing(const Graph& graph, const Draft& draft, const CostModel& cost)
      : graph_(graph), draft_(draft), cost_(cost) {}

  StepTime Run() {
    time_.step_us = cost_.StepOverhead();
    for (size_t n = 0; n < graph_.nodes().size(); ++n) {
      time_.compute_us += cost_.NodeTime(graph_.nodes()[n], draft_.candidates->makers[n], draft_.RowOf(n));
      CountSlices(n);
    }
    for (size_t v = 0; v < draft_.assignment.placement.size(); ++v) {
      const Placement& p = draft_.assignment.placement[v];
      if (p.made)
        time_.collectives_us +=
            cost_.Convert(graph::ValueId{static_cast<int32_t>(v)}, p.produced, *p.made).us;
    }
    time_.collectives_us -= draft_.batched_us;
    for (size_t i = 0; i < graph_.outputs().size(); ++i)
      time_.outputs_us += cost_.OutputCost(graph_.outputs()[i], draft_.assignment.output[i]);
    return time_;
  }

 private:
  void CountSlices(size_t n) {
    const graph::Node& node = graph_.nodes()[n];
    const Row& row = draft_.RowOf(n);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const graph::ValueId id = node.inputs[i];
      if (id == graph::kNoValue || graph_.value(id).constant || !row.inputs[i] || !row.inputs[i]->split())
        continue;
      const Placement& p = draft_.assignment.placement[static_cast<size_t>(id.value())];
      const bool there = *row.inputs[i] == p.produced || (p.made && *row.inputs[i] == *p.made);
      if (!there && slices_.emplace(id, *row.inputs[i]).second)
        time_.slices_us += cost_.Convert(id, State::Replicated(), *row.inputs[i]).us;
    }
  }

  const Graph& graph_;
  const Draft& draft_;
  const CostModel& cost_;
  StepTime time_;
  std::set<std::pair<graph::ValueId, State>> slices_;
};

bool SplitsWork(const Draft& draft) {
  for (size_t n = 0; n < draft.assignment.row.size(); ++n) {
    if (const Row& row = draft.RowOf(n); row.factor != kNoFactor || row.join) return true;
  }
  return false;
}

// Fills in the assignment and the price; gives what the ranks hold.
Result<Census> SearchAndPrice(const Graph& graph, const Options& options, const Objective& objective,
                              Draft& draft) {
  const CostModel cost(graph, MachineOf(options), objective, draft.parts, options.nominal_dims);
  if (objective.slack > 0) {
    TRY_ASSIGN(draft.assignment,
               SearchLean(graph, *draft.candidates, cost, objective.slack, options.search_limit));
  } else {
    TRY_ASSIGN(draft.assignment, Search(graph, *draft.candidates, cost, options.search_limit));
  }
  Census census(graph, draft);
  draft.price.strategy = draft.parts == 1 ? OneRank().name : draft.strategy->name;
  draft.batched_us = 0;
  for (const Batch& batch : BatchAllReduces(graph, *draft.candidates, draft.assignment, cost))
    draft.batched_us += batch.saved_us;
  draft.price.time = Timing(graph, draft, cost).Run();
  draft.price.predicted_us = draft.price.time.sum();
  draft.price.rank_weight_bytes = ByteCount{static_cast<uint64_t>(census.held())};
  draft.price.search = {draft.assignment.exact, draft.assignment.cost, draft.assignment.lower_bound};
  return census;
}

bool SamePrice(const Draft& a, const Draft& b) {
  return a.price.rank_weight_bytes == b.price.rank_weight_bytes &&
         std::abs(a.price.predicted_us - b.price.predicted_us) < 1e-3;
}

// Finds the corners of the lower convex hull between two plans: where a line between neighbours can be
// undercut, the search at its slope does it.
class Sweep {
 public:
  Sweep(const Graph& graph, const Options& options, const Draft& first, int most_searches)
      : graph_(graph), options_(options), first_(first), searches_left_(most_searches) {}

  Result<std::vector<Draft>> Run() {
    std::vector<Draft> found;
    TRY_ASSIGN(Draft fast, At(0));
    TRY_ASSIGN(Draft small, At(kMostPerByte));
    TRY(Between(fast, small, found));
    found.insert(found.begin(), std::move(fast));
    found.push_back(std::move(small));
    std::stable_sort(found.begin(), found.end(), [](const Draft& a, const Draft& b) {
      return a.price.predicted_us < b.price.predicted_us;
    });
    return found;
  }

 private:
  static constexpr double kMostPerByte = 1;  // us: outweighs any collective

  Result<Draft> At(double weight_us_per_byte) {
    --searches_left_;
    Draft draft;
    draft.strategy = first_.strategy;
    draft.parts = first_.parts;
    draft.candidates = first_.candidates;
    TRY(SearchAndPrice(graph_, options_, {weight_us_per_byte, 1, 0}, draft));
    return draft;
  }

  Result<void> Between(const Draft& fast, const Draft& small, std::vector<Draft>& found) {
    const double saved = static_cast<double>(fast.price.rank_weight_bytes.value()) -
                         static_cast<double>(small.price.rank_weight_bytes.value());
    const double lost =
        small.price.predicted_us + small.batched_us - fast.price.predicted_us - fast.batched_us;
    if (searches_left_ <= 0 || saved <= 0 || lost <= 0) return {};
    TRY_ASSIGN(Draft middle, At(lost / saved));
    if (SamePrice(middle, fast) || SamePrice(middle, small)) return {};
    TRY(Between(fast, middle, found));
    TRY(Between(middle, small, found));
    found.push_back(std::move(middle));
    return {};
  }

  const Graph& graph_;
  const Options& options_;
  const Draft& first_;
  int searches_left_;
};

// Of hints that cannot all be kept: the first that contradicts those before it.
tl::unexpected<Error> NameContradiction(const Graph& graph, const CostModel& cost, const Options& options,
                                        const std::vector<Hint>& hints, const Candidates& candidates) {
  size_t kept = 0;
  for (size_t lost = hints.size(); lost - kept > 1;) {
    const size_t middle = (kept + lost) / 2;
    Candidates agreeing = candidates;
    const bool possible = Constrain(graph, hints, middle, agreeing).has_value() &&
                          Search(graph, agreeing, cost, options.search_limit).has_value();
    (possible ? kept : lost) = middle;
  }
  const Hint& hint = hints[kept];
  return Fail(Code::kUnsupported, "{}: its annotation wants '{}' as {}: {}", hint.node, hint.tensor,
              hint.state.ToString(),
              kept == 0 ? "no plan of the strategy has that" : "that contradicts annotations before it");
}

}  // namespace

const Machine& MachineOf(const Options& options) {
  return options.machine ? *options.machine : DefaultMachine(DeviceOf(options.engine));
}

Result<Draft> DraftPlan(const Graph& graph, const Options& options, const Strategy& strategy, int parts,
                        const std::vector<Hint>& hints) {
  Space space = strategy.space;
  space.parts = parts;
  space.tables = options.embeddings == Embeddings::kWhole ? TablePolicy{true} : LargeTablesAreWeights(graph);
  Candidates candidates = Propagate(graph, space, StartsOf(graph, hints));
  if (hints.empty()) return DraftOver(graph, options, strategy, parts, std::move(candidates));
  Candidates agreeing = candidates;
  TRY(Constrain(graph, hints, hints.size(), agreeing));
  const CostModel cost(graph, MachineOf(options), strategy.objective, parts, options.nominal_dims);
  if (!Search(graph, agreeing, cost, options.search_limit))
    return NameContradiction(graph, cost, options, hints, candidates);
  return DraftOver(graph, options, strategy, parts, std::move(agreeing));
}

Result<Draft> DraftOver(const Graph& graph, const Options& options, const Strategy& strategy, int parts,
                        Candidates candidates) {
  Draft draft;
  draft.strategy = &strategy;
  draft.parts = parts;
  const Space& space = strategy.space;
  draft.candidates = std::make_shared<const Candidates>(std::move(candidates));
  TRY_ASSIGN(const Census census, SearchAndPrice(graph, options, strategy.objective, draft));
  if (parts > 1 && space.weights && !space.activations() && !census.weights_split()) {
    return Fail(Code::kUnsupported, "nothing can be split over {} ranks: {}", parts,
                WhyNoWeights(census, parts));
  }
  if (parts > 1 && !SplitsWork(draft)) {
    return Fail(
        Code::kUnsupported,
        "strategy '{}' splits nothing over {} ranks: no {} is a multiple of {} that the ops allow to cut",
        strategy.name, parts, space.context ? "sequence or head count" : "batch", parts);
  }
  return draft;
}

Result<std::vector<Draft>> SweepMemory(const Graph& graph, const Options& options, const Draft& first,
                                       int most_searches) {
  if (first.parts == 1 || !first.strategy->space.weights || most_searches < 2) return std::vector<Draft>();
  return Sweep(graph, options, first, most_searches).Run();
}

}  // namespace tessera::shard
