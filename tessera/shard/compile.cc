#include "tessera/shard/compile.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "tessera/shard/candidates.h"
#include "tessera/shard/check.h"
#include "tessera/shard/cost.h"
#include "tessera/shard/rewrite.h"
#include "tessera/shard/search.h"
#include "tessera/shard/strategy.h"

namespace tessera::shard {
namespace {

using graph::Graph;

constexpr int kMostRanks = 256;
constexpr std::string_view kAuto = "auto";
constexpr std::string_view kSingle = "single";
// Another plan must be this much faster than a simpler one before auto takes it.
constexpr double kWorthwhile = 0.99;

Result<void> CheckOptions(const Options& options) {
  if (options.ranks < 1 || options.ranks > kMostRanks) {
    return Fail(Code::kInvalidArgument, "--ranks is {}, wanted 1 to {}", options.ranks, kMostRanks);
  }
  const auto names = Strategies();
  if (std::find(names.begin(), names.end(), options.strategy) == names.end()) {
    return Fail(Code::kInvalidArgument, "strategy '{}' is not known, wanted one of: {}", options.strategy,
                fmt::format("{}", fmt::join(names, ", ")));
  }
  return {};
}

// A plan that was searched and priced, not written yet.
struct Draft {
  const Strategy* strategy = nullptr;
  int parts = 1;
  Candidates candidates;
  Assignment assignment;
  Alternative price;
};

// Every constant of the chosen rows once, with what a rank holds of it.
class Census {
 public:
  Census(const Graph& graph, const Draft& draft) : graph_(graph), parts_(draft.parts) {
    for (size_t n = 0; n < graph.nodes().size(); ++n) {
      const Row& row = draft.candidates.rows[n][static_cast<size_t>(draft.assignment.row[n])];
      Count(graph.nodes()[n], draft.candidates.makers[n].rule(), row);
    }
  }

  double held() const { return held_; }          // all constants, bytes
  bool weights_split() const { return split_; }  // of a contraction
  bool has_weights() const { return !sizes_.empty(); }
  const std::map<int64_t, int>& sizes() const { return sizes_; }  // weights' dimensions -> how often

 private:
  void Count(const graph::Node& node, const std::optional<Rule>& rule, const Row& row) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const graph::ValueId id = node.inputs[i];
      if (id == graph::kNoValue || !graph_.value(id).constant) continue;
      const bool split = row.inputs[i] && row.inputs[i]->split();
      const bool weight = rule && std::find(rule->weights.begin(), rule->weights.end(),
                                            static_cast<int>(i)) != rule->weights.end();
      split_ = split_ || (weight && split);
      if (!seen_.insert(id).second) continue;
      held_ += static_cast<double>(graph_.value(id).constant->bytes.size()) / (split ? parts_ : 1);
      if (!weight) continue;
      for (const int64_t size : graph_.value(id).shape) ++sizes_[size];
    }
  }

  const Graph& graph_;
  int parts_;
  double held_ = 0;
  bool split_ = false;
  std::map<int64_t, int> sizes_;
  std::set<graph::ValueId> seen_;
};

// Why no weight could be split: the sizes at hand, and rank counts that would do.
std::string WhyNoWeights(const Census& census, int ranks) {
  if (!census.has_weights()) return "it has no MatMul, Gemm, Conv or Einsum with constant weights";
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

// Ops and collectives of a step; a slice of a whole value counts once for each state it is wanted in.
double StepTime(const Graph& graph, const Draft& draft, const CostModel& cost) {
  double us = 0;
  std::set<std::pair<graph::ValueId, State>> slices;
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    const graph::Node& node = graph.nodes()[n];
    const Row& row = draft.candidates.rows[n][static_cast<size_t>(draft.assignment.row[n])];
    us += cost.NodeTime(node, draft.candidates.makers[n], row);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const graph::ValueId id = node.inputs[i];
      if (id == graph::kNoValue || graph.value(id).constant || !row.inputs[i] || !row.inputs[i]->split())
        continue;
      const Placement& p = draft.assignment.placement[static_cast<size_t>(id.value())];
      const bool there = *row.inputs[i] == p.produced || (p.made && *row.inputs[i] == *p.made);
      if (!there && slices.emplace(id, *row.inputs[i]).second)
        us += cost.Convert(id, State::Replicated(), *row.inputs[i]).us;
    }
  }
  for (size_t v = 0; v < draft.assignment.placement.size(); ++v) {
    const Placement& p = draft.assignment.placement[v];
    if (p.made) us += cost.Convert(graph::ValueId{static_cast<int32_t>(v)}, p.produced, *p.made).us;
  }
  for (size_t i = 0; i < graph.outputs().size(); ++i)
    us += cost.OutputCost(graph.outputs()[i], draft.assignment.output[i]);
  return us;
}

bool SplitsWork(const Draft& draft) {
  for (size_t n = 0; n < draft.assignment.row.size(); ++n) {
    const Row& row = draft.candidates.rows[n][static_cast<size_t>(draft.assignment.row[n])];
    if (row.factor != kNoFactor || row.join) return true;
  }
  return false;
}

// Searches the strategy's space. A plan that splits nothing is kUnsupported, with the reason.
Result<Draft> DraftPlan(const Graph& graph, const Options& options, const Strategy& strategy, int parts) {
  Draft draft;
  draft.strategy = &strategy;
  draft.parts = parts;
  Space space = strategy.space;
  space.parts = parts;
  const CostModel cost(graph, Machine{}, strategy.objective, parts, options.nominal_dims);
  draft.candidates = Propagate(graph, space);
  TRY_ASSIGN(draft.assignment, Search(graph, draft.candidates, cost));
  const Census census(graph, draft);
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
  draft.price = {parts == 1 ? std::string(kSingle) : std::string(strategy.name), StepTime(graph, draft, cost),
                 ByteCount{static_cast<uint64_t>(census.held())}, ""};
  return draft;
}

const Strategy& Named(std::string_view name) {
  const auto& all = AllStrategies();
  return *std::find_if(all.begin(), all.end(), [&](const Strategy& s) { return s.name == name; });
}

bool Fits(const Alternative& price, const Options& options) {
  return options.memory_per_rank.value() == 0 || price.rank_weight_bytes <= options.memory_per_rank;
}

Result<void> CheckMemory(const Draft& draft, const Options& options) {
  if (Fits(draft.price, options)) return {};
  return Fail(Code::kUnsupported,
              "strategy '{}': a rank would hold {} bytes of weights, --memory-per-rank allows {}",
              draft.price.strategy, draft.price.rank_weight_bytes.value(), options.memory_per_rank.value());
}

// Everything priced; the fastest that fits is taken, a simpler one when it is nearly as fast.
Result<Draft> DraftBest(const Graph& graph, const Options& options, std::vector<Alternative>& alternatives) {
  TRY_ASSIGN(Draft best, DraftPlan(graph, options, Named("tensor"), 1));
  alternatives.push_back(best.price);
  bool fits = Fits(best.price, options);
  for (const Strategy& strategy : AllStrategies()) {
    if (options.ranks == 1) break;
    // Plans that would refuse some requests (dynamic sizes that do not divide) are only for those who ask for
    // them.
    Strategy open = strategy;
    open.space.dynamic = false;
    auto draft = DraftPlan(graph, options, open, options.ranks);
    if (!draft) {
      if (draft.error().code != Code::kUnsupported) return Forward(std::move(draft));
      alternatives.push_back({std::string(strategy.name), 0, ByteCount{0}, draft.error().message});
      continue;
    }
    draft->strategy = &strategy;
    alternatives.push_back(draft->price);
    const bool better = draft->price.predicted_us < kWorthwhile * best.price.predicted_us;
    if (Fits(draft->price, options) && (!fits || better)) {
      best = std::move(*draft);
      fits = true;
    }
  }
  TRY(CheckMemory(best, options));
  return best;
}

std::string Reason(const Draft& taken, const Options& options, const std::vector<Alternative>& alternatives) {
  std::vector<std::string> others;
  for (const Alternative& a : alternatives) {
    if (a.strategy == taken.price.strategy) continue;
    others.push_back(a.refused.empty() ? fmt::format("{} {:.0f} us", a.strategy, a.predicted_us)
                                       : fmt::format("{}: {}", a.strategy, a.refused));
  }
  const std::string what = taken.parts == 1 && options.ranks > 1
                               ? "one rank instead of " + std::to_string(options.ranks)
                               : "strategy '" + taken.price.strategy + "'";
  return fmt::format("{} is the fastest predicted ({:.0f} us a step; {})", what, taken.price.predicted_us,
                     fmt::join(others, "; "));
}

// Ranks that draw numbers of their own would no longer hold the same values.
Result<void> CheckNoChance(const Graph& graph) {
  static const std::set<std::string> kRandom{"Bernoulli",        "Multinomial",   "RandomNormal",
                                             "RandomNormalLike", "RandomUniform", "RandomUniformLike"};
  for (const graph::Node& node : graph.nodes()) {
    const bool training =
        node.op_type == "Dropout" && node.inputs.size() > 2 && node.inputs[2] != graph::kNoValue;
    if (node.Find("seed") != nullptr || !(kRandom.contains(node.op_type) || training)) continue;
    return Fail(Code::kUnsupported, "node '{}' ({}) has no seed: every rank would draw other numbers",
                node.name, node.op_type);
  }
  return {};
}

}  // namespace

std::vector<std::string_view> Strategies() {
  std::vector<std::string_view> names{kAuto};
  for (const Strategy& strategy : AllStrategies()) names.push_back(strategy.name);
  return names;
}

Result<Compiled> Compile(const Graph& graph, const Options& options) {
  TRY(CheckOptions(options));
  Compiled compiled;
  Draft draft;
  if (options.strategy == kAuto) {
    TRY_ASSIGN(draft, DraftBest(graph, options, compiled.alternatives));
    compiled.reason = Reason(draft, options, compiled.alternatives);
  } else {
    TRY_ASSIGN(draft, DraftPlan(graph, options, Named(options.strategy), options.ranks));
    TRY(CheckMemory(draft, options));
    compiled.alternatives.push_back(draft.price);
  }
  if (draft.parts > 1) TRY(CheckNoChance(graph));
  const CostModel cost(graph, Machine{}, draft.strategy->objective, draft.parts, options.nominal_dims);
  compiled.axis = draft.strategy->axis;
  TRY_ASSIGN(compiled.model,
             Rewrite(graph, draft.candidates, draft.assignment, cost, draft.parts, compiled.axis));
  if (const auto checked = CheckRankModel(graph, compiled.model); !checked) {
    return Fail(Code::kInternal,
                "the split would compute something else: {}; this is a defect of the compiler",
                checked.error().message);
  }
  compiled.strategy = draft.price.strategy;
  compiled.divisible = draft.candidates.divisible;
  compiled.predicted_us = draft.price.predicted_us;
  return compiled;
}

}  // namespace tessera::shard
