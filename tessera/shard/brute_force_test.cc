#include "tessera/shard/search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "tessera/shard/cost_network.h"
#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using graph::ValueId;
using testing::GraphBuilder;

// The least cost over every choice of rows, by recursion over the nodes; placements are the cheapest for
// those rows. Written from the contract: a value's collective is paid once, slices by each consumer.
class BruteForce {
 public:
  BruteForce(const graph::Graph& graph, const Candidates& candidates, const CostModel& cost)
      : graph_(graph), candidates_(candidates), cost_(cost), rows_(graph.nodes().size()) {}

  double Best() {
    best_ = kForbidden;
    Choose(0, 0);
    return best_;
  }

 private:
  void Choose(size_t n, double sum) {
    if (sum >= best_) return;
    if (n == graph_.nodes().size()) {
      for (size_t v = 0; v < graph_.values().size(); ++v) sum += ValueCost(ValueId{static_cast<int32_t>(v)});
      sum += SharedWeights();
      best_ = std::min(best_, sum);
      return;
    }
    const auto& node = graph_.nodes()[n];
    for (const Row& row : candidates_.rows[n]) {
      rows_[n] = &row;
      double constants = 0;
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        if (row.inputs[i] && graph_.value(node.inputs[i]).constant)
          constants += cost_.Convert(node.inputs[i], State::Replicated(), *row.inputs[i]).us;
      }
      Choose(n + 1, sum + cost_.NodeCost(node, candidates_.makers[n], row) + constants);
    }
  }

  // Held once in each state that some node wants.
  double SharedWeights() const {
    std::set<std::pair<ValueId, State>> held;
    for (size_t n = 0; n < rows_.size(); ++n) {
      for (const size_t i : cost_.SharedWeights(graph_.nodes()[n], candidates_.makers[n]))
        held.emplace(graph_.nodes()[n].inputs[i], *rows_[n]->inputs[i]);
    }
    double sum = 0;
    for (const auto& [id, state] : held) sum += cost_.WeightCost(id, state);
    return sum;
  }

  State Produced(ValueId id) const {
    const graph::NodeId producer = graph_.value(id).producer;
    if (producer == graph::kNoNode) return State::Replicated();
    const auto n = static_cast<size_t>(producer.value());
    const auto& outputs = graph_.nodes()[n].outputs;
    return rows_[n]
        ->outputs[static_cast<size_t>(std::find(outputs.begin(), outputs.end(), id) - outputs.begin())];
  }

  // The cheapest single collective (or none) that serves all consumers and the output.
  double ValueCost(ValueId id) const {
    if (graph_.value(id).constant) return 0;
    const State produced = Produced(id);
    std::vector<std::optional<State>> collectives{std::nullopt, State::Replicated()};
    for (size_t n = 0; n < rows_.size(); ++n) {
      for (size_t i = 0; i < rows_[n]->inputs.size(); ++i) {
        if (graph_.nodes()[n].inputs[i] == id && rows_[n]->inputs[i])
          collectives.push_back(rows_[n]->inputs[i]);
      }
    }
    double best = kForbidden;
    for (const auto& made : collectives) best = std::min(best, With(id, produced, made));
    return best;
  }

  double With(ValueId id, const State& produced, const std::optional<State>& made) const {
    double sum = 0;
    if (made) {
      const auto conversion = cost_.Convert(id, produced, *made);
      if (!conversion.collective) return kForbidden;
      sum += conversion.us;
    }
    const auto take = [&](const State& wanted) {
      if (wanted == produced || (made && wanted == *made)) return 0.0;
      if (!wanted.split() || !(produced.replicated() || (made && made->replicated()))) return kForbidden;
      return cost_.Convert(id, State::Replicated(), wanted).us;
    };
    for (size_t n = 0; n < rows_.size(); ++n) {
      for (size_t i = 0; i < rows_[n]->inputs.size(); ++i) {
        if (graph_.nodes()[n].inputs[i] == id && rows_[n]->inputs[i]) sum += take(*rows_[n]->inputs[i]);
      }
    }
    for (const ValueId out : graph_.outputs()) {
      if (out == id)
        sum += std::min(cost_.OutputCost(id, produced), made ? cost_.OutputCost(id, *made) : kForbidden);
    }
    return sum;
  }

  const graph::Graph& graph_;
  const Candidates& candidates_;
  const CostModel& cost_;
  std::vector<const Row*> rows_;
  double best_ = kForbidden;
};

// MLPs with branches: matrix products, sums and activations of a few shared widths.
graph::Graph RandomGraph(std::mt19937& random, int nodes) {
  GraphBuilder b;
  const std::vector<int64_t> widths{6, 64, 256};
  std::vector<std::pair<ValueId, int64_t>> live{{b.Input("x", {8, 64}), 64}, {b.Input("y", {8, 256}), 256}};
  const ValueId ids = b.Input("ids", {8}, {}, DType::kInt64);
  const auto any = [&](size_t size) { return std::uniform_int_distribution<size_t>(0, size - 1)(random); };
  for (int n = 0; n < nodes; ++n) {
    const auto [x, width] = live[any(live.size())];
    const size_t kind = any(4);
    if (kind == 0) {
      live.emplace_back(b.Op("Relu", {x}, {8, width}), width);
    } else if (kind == 1) {
      const auto [y, other] = live[any(live.size())];
      if (other != width) continue;
      live.emplace_back(b.Op("Add", {x, y}, {8, width}), width);
    } else {
      const int64_t out = widths[any(widths.size())];
      const ValueId weight = b.Weight("w" + std::to_string(n), {width, out});
      // Some weights are tables, too, which may be wanted in another state there.
      if (n + 1 < nodes && random() % 4 == 0) {
        live.emplace_back(b.Op("Gather", {weight, ids}, {8, out}), out);
        ++n;
      }
      live.emplace_back(b.Op("MatMul", {x, weight}, {8, out}), out);
    }
  }
  b.Output(live.back().first);
  if (random() % 2 == 0) b.Output(live[any(live.size())].first);
  return b.graph();
}

// Sanitizers see a tenth: unoptimised, with their checks, all take minutes.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kGraphs = 100;
#else
constexpr int kGraphs = 1000;
#endif

TEST(Search, EqualsBruteForceOnRandomGraphs) {
  std::mt19937 random(3);
  int split = 0;
  for (int i = 0; i < kGraphs; ++i) {
    const graph::Graph graph = RandomGraph(random, 3 + i % 6);
    Machine machine = DefaultMachine(Machine::Device::kCpu);
    const Curve collective = Curve::Affine(1 + static_cast<double>(random() % 60), 4e3);
    for (auto& [op, curve] : machine.speeds[1].collectives) curve = collective;
    const Objective objective{static_cast<double>(random() % 3) * 1e-3};
    const CostModel cost(graph, machine, objective, 2, {});
    const Candidates candidates = Propagate(graph, Space{.parts = 2, .tables = {.weight_from = 0}});
    const auto found = Search(graph, candidates, cost);
    ASSERT_TRUE(found) << found.error().message;
    const double best = BruteForce(graph, candidates, cost).Best();
    ASSERT_NEAR(found->cost, best, 1e-9 * best) << "graph " << i;
    for (const int row : found->row) split += row != 0;
  }
  EXPECT_GT(split, kGraphs / 10) << "hardly anything was split: this proves nothing";
}

}  // namespace
}  // namespace tessera::shard
