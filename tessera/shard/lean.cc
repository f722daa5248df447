#include "tessera/shard/lean.h"

#include <set>
#include <utility>

namespace tessera::shard {
namespace {

// From one price to the next; prices at which time and weights trade lie orders of magnitude apart.
constexpr double kStep = 8;
// us a byte: lower than what any weight is worth, so that a model without weights ends, too.
constexpr double kLowestPrice = 1e-8;

}  // namespace

double HeldWeights(const graph::Graph& graph, const Candidates& candidates, const Assignment& assignment,
                   const CostModel& cost) {
  double bytes = 0;
  std::set<std::pair<graph::ValueId, State>> shared;
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    const Row& row = candidates.rows[n][static_cast<size_t>(assignment.row[n])];
    const graph::Node& node = graph.nodes()[n];
    bytes += cost.HeldWeights(node, candidates.makers[n], row);
    for (const size_t i : cost.SharedWeights(node, candidates.makers[n]))
      shared.emplace(node.inputs[i], row.inputs[i].value_or(State::Replicated()));
  }
  for (const auto& [weight, state] : shared) bytes += cost.WeightBytes(weight, state);
  return bytes;
}

Result<Assignment> SearchLean(const graph::Graph& graph, const Candidates& candidates, const CostModel& cost,
                              double slack, size_t most_entries) {
  TRY_ASSIGN(Assignment best, Search(graph, candidates, cost, most_entries));
  const double most = (1 + slack) * HeldWeights(graph, candidates, best, cost);
  for (double price = cost.weight_price() / kStep; most > 0 && price >= kLowestPrice; price /= kStep) {
    TRY_ASSIGN(Assignment cheaper, Search(graph, candidates, cost.WithWeightPrice(price), most_entries));
    if (HeldWeights(graph, candidates, cheaper, cost) > most) break;
    best = std::move(cheaper);
  }
  return best;
}

}  // namespace tessera::shard
