#include "tessera/shard/cost_network.h"

#include <algorithm>
#include <utility>

#include "tessera/shard/elimination.h"

namespace tessera::shard {
namespace {

using Limits = Elimination::Limits;

// Of the fallback: a table of it is made many times.
constexpr size_t kMostEntriesInRounds = size_t{1} << 20;
constexpr int kMostRounds = 32;
constexpr int kFruitlessRounds = 4;  // in a row, then the search ends

// Where the exact search is too wide: each round keeps some variables as they are and minimises over all
// others at once, so it never gets worse.
void Improve(const CostNetwork& network, size_t most_entries, CostNetwork::Solution& solution) {
  std::vector<int> kept(solution.values.size());
  for (int round = 0, fruitless = 0; round < kMostRounds && fruitless < kFruitlessRounds; ++round) {
    Elimination run(network, {most_entries, Limits::Wide::kFix});
    run.Keep(solution.values, kept);
    run.Run();
    std::vector<int> values = run.Values();
    const double cost = network.CostOf(values);
    ++fruitless;
    if (cost >= solution.cost) continue;
    fruitless = 0;
    solution.values = std::move(values);
    solution.cost = cost;
  }
}

}  // namespace

int CostNetwork::AddVariable(int domain) {
  domains_.push_back(domain);
  return variables() - 1;
}

void CostNetwork::AddUnary(int variable, const std::vector<double>& costs) {
  tables_.push_back({{variable}, costs});
}

void CostNetwork::AddPair(int a, int b, const std::vector<double>& costs) {
  if (a < b) {
    tables_.push_back({{a, b}, costs});
    return;
  }
  const auto size_a = static_cast<size_t>(domains_[static_cast<size_t>(a)]);
  const auto size_b = static_cast<size_t>(domains_[static_cast<size_t>(b)]);
  std::vector<double> turned(costs.size());
  for (size_t i = 0; i < size_a; ++i) {
    for (size_t j = 0; j < size_b; ++j) turned[j * size_a + i] = costs[i * size_b + j];
  }
  tables_.push_back({{b, a}, std::move(turned)});
}

double CostNetwork::CostOf(const std::vector<int>& values) const {
  double sum = 0;
  for (const Table& table : tables_) {
    size_t position = 0;
    for (const int n : table.scope) {
      const auto i = static_cast<size_t>(n);
      position = position * static_cast<size_t>(domains_[i]) + static_cast<size_t>(values[i]);
    }
    sum += table.costs[position];
  }
  return sum;
}

CostNetwork::Solution CostNetwork::Minimize(size_t most_entries) const {
  if (Elimination exact(*this, {most_entries, Limits::Wide::kStop}); exact.Run())
    return {exact.Values(), exact.minimum(), exact.minimum(), true};
  const size_t most = std::min(most_entries, kMostEntriesInRounds);
  Elimination bound(*this, {most, Limits::Wide::kSplit});
  bound.Run();
  Solution solution{std::vector<int>(domains_.size()), 0, bound.minimum(), false};
  solution.cost = CostOf(solution.values);
  if (std::vector<int> guided = bound.Values(); CostOf(guided) < solution.cost) {
    solution.cost = CostOf(guided);
    solution.values = std::move(guided);
  }
  Improve(*this, most, solution);
  return solution;
}

}  // namespace tessera::shard
