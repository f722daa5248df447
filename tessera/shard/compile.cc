#include "tessera/shard/compile.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "tessera/shard/candidates.h"
#include "tessera/shard/cost.h"
#include "tessera/shard/rewrite.h"
#include "tessera/shard/search.h"

namespace tessera::shard {
namespace {

using graph::Graph;

constexpr int kMostRanks = 256;
// Tensor parallelism is asked for to hold less: any split weight is worth its collectives.
constexpr double kTensorWeightPrice = 1.0;

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

struct Weights {
  double all = 0;
  double held = 0;
  std::map<int64_t, int> sizes;  // dimensions met -> how often
};

// The weights of the chosen rows, each constant counted once.
Weights CountWeights(const Graph& graph, const Candidates& candidates, const Assignment& assignment,
                     const CostModel& cost, int parts) {
  Weights weights;
  std::set<graph::ValueId> seen;
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    const auto& rule = candidates.makers[n].rule();
    if (!rule) continue;
    const Row& row = candidates.rows[n][static_cast<size_t>(assignment.row[n])];
    const graph::Node& node = graph.nodes()[n];
    for (const int w : rule->weights) {
      const auto i = static_cast<size_t>(w);
      if (i >= node.inputs.size() || node.inputs[i] == graph::kNoValue ||
          !graph.value(node.inputs[i]).constant)
        continue;
      if (!seen.insert(node.inputs[i]).second) continue;
      const double bytes = cost.NominalBytes(node.inputs[i]);
      weights.all += bytes;
      weights.held += row.inputs[i] && row.inputs[i]->split() ? bytes / parts : bytes;
      for (const int64_t size : graph.value(node.inputs[i]).shape) ++weights.sizes[size];
    }
  }
  return weights;
}

// Why no weight could be split: the sizes at hand, and rank counts that would do.
std::string WhyNothing(const Weights& weights, int ranks) {
  if (weights.sizes.empty()) return "it has no MatMul, Gemm, Conv or Einsum with constant weights";
  std::vector<std::string> sizes;
  for (auto it = weights.sizes.rbegin(); it != weights.sizes.rend() && sizes.size() < 6; ++it) {
    sizes.push_back(fmt::format("{} ({}x)", it->first, it->second));
  }
  std::vector<int> others;
  for (int n = 2; n <= 16 && n <= kMostRanks; ++n) {
    const bool fits = std::any_of(weights.sizes.begin(), weights.sizes.end(),
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

double PredictedTime(const Graph& graph, const Candidates& candidates, const Assignment& assignment,
                     const CostModel& cost) {
  double us = 0;
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    us += cost.NodeTime(graph.nodes()[n], candidates.makers[n],
                        candidates.rows[n][static_cast<size_t>(assignment.row[n])]);
  }
  for (size_t v = 0; v < assignment.placement.size(); ++v) {
    const Placement& p = assignment.placement[v];
    if (p.made) us += cost.Convert(graph::ValueId{static_cast<int32_t>(v)}, p.produced, *p.made).us;
  }
  return us;
}

}  // namespace

std::vector<std::string_view> Strategies() {
  return {"auto", "tensor"};
}

Result<Compiled> Compile(const Graph& graph, const Options& options) {
  TRY(CheckOptions(options));
  const Objective objective{kTensorWeightPrice};
  const CostModel cost(graph, Machine{}, objective, options.ranks, options.nominal_dims);
  const Candidates candidates = Propagate(graph, options.ranks);
  TRY_ASSIGN(const Assignment assignment, Search(graph, candidates, cost));
  const Weights weights = CountWeights(graph, candidates, assignment, cost, options.ranks);
  if (options.ranks > 1 && weights.held >= weights.all) {
    return Fail(Code::kUnsupported, "nothing can be split over {} ranks: {}", options.ranks,
                WhyNothing(weights, options.ranks));
  }
  Compiled compiled;
  TRY_ASSIGN(compiled.model, Rewrite(graph, candidates, assignment, cost, options.ranks, "tp"));
  compiled.strategy = options.ranks == 1 ? "single" : "tensor";
  compiled.predicted_us = PredictedTime(graph, candidates, assignment, cost);
  compiled.weight_bytes = weights.all;
  compiled.held_bytes = weights.held;
  return compiled;
}

}  // namespace tessera::shard
