#include "tessera/shard/cost_network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace tessera::shard {
namespace {

// A network with a list of its own tables, so that every assignment can be tried.
struct Sample {
  CostNetwork network;
  std::vector<int> domains;
  struct Table {
    int a, b;  // b < 0: of one variable
    std::vector<double> costs;
  };
  std::vector<Table> tables;

  double Cost(const std::vector<int>& values) const {
    double sum = 0;
    for (const Table& t : tables) {
      const auto a = static_cast<size_t>(values[static_cast<size_t>(t.a)]);
      if (t.b < 0) {
        sum += t.costs[a];
        continue;
      }
      const auto width = static_cast<size_t>(domains[static_cast<size_t>(t.b)]);
      sum += t.costs[a * width + static_cast<size_t>(values[static_cast<size_t>(t.b)])];
    }
    return sum;
  }

  double BestByTrying() const {
    std::vector<int> values(domains.size());
    double best = Cost(values);
    for (;;) {
      size_t i = 0;
      while (i < values.size() && ++values[i] == domains[i]) values[i++] = 0;
      if (i == values.size()) return best;
      best = std::min(best, Cost(values));
    }
  }
};

Sample Random(std::mt19937& random) {
  Sample sample;
  const auto roll = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  const auto costs = [&](size_t count) {
    std::vector<double> made(count);
    for (double& c : made) c = roll(0, 9) == 0 ? kForbidden : roll(0, 20);
    return made;
  };
  const int variables = roll(1, 8);
  for (int v = 0; v < variables; ++v) {
    sample.domains.push_back(roll(1, 4));
    sample.network.AddVariable(sample.domains.back());
    sample.tables.push_back({v, -1, costs(static_cast<size_t>(sample.domains.back()))});
    sample.network.AddUnary(v, sample.tables.back().costs);
  }
  for (int t = roll(0, 12); t > 0 && variables > 1; --t) {
    const int a = roll(0, variables - 1);
    const int b = (a + roll(1, variables - 1)) % variables;
    const auto size = [&](int v) { return static_cast<size_t>(sample.domains[static_cast<size_t>(v)]); };
    sample.tables.push_back({a, b, costs(size(a) * size(b))});
    sample.network.AddPair(a, b, sample.tables.back().costs);
  }
  return sample;
}

TEST(CostNetwork, EqualsBruteForceOnAThousandRandomNetworks) {
  std::mt19937 random(7);
  int possible = 0;
  for (int i = 0; i < 1000; ++i) {
    const Sample sample = Random(random);
    const auto solution = sample.network.Minimize();
    ASSERT_TRUE(solution);
    const double best = sample.BestByTrying();
    if (best >= kForbidden) {
      ASSERT_GE(solution->cost, kForbidden) << "network " << i;
      continue;
    }
    ++possible;
    ASSERT_DOUBLE_EQ(solution->cost, best) << "network " << i;
    ASSERT_DOUBLE_EQ(sample.Cost(solution->values), best) << "network " << i << ": the values cost otherwise";
  }
  EXPECT_GT(possible, 500);
}

TEST(CostNetwork, OfNothingCostsNothing) {
  const auto solution = CostNetwork().Minimize();
  ASSERT_TRUE(solution);
  EXPECT_EQ(solution->cost, 0);
}

TEST(CostNetwork, RefusesATableThatIsTooLarge) {
  CostNetwork network;
  for (int v = 0; v < 6; ++v) network.AddVariable(4);
  for (int a = 0; a < 6; ++a) {
    for (int b = a + 1; b < 6; ++b) network.AddPair(a, b, std::vector<double>(16));
  }
  const auto solution = network.Minimize(1000);
  ASSERT_FALSE(solution);
  EXPECT_EQ(solution.error().code, Code::kUnsupported);
}

TEST(CostNetwork, LongChainIsCheap) {
  CostNetwork network;
  for (int v = 0; v < 100000; ++v) {
    network.AddVariable(3);
    network.AddUnary(v, {v % 3 == 0 ? 0.0 : 1.0, 1, 1});
    if (v > 0) network.AddPair(v - 1, v, {0, 2, 2, 2, 0, 2, 2, 2, 0});
  }
  const auto solution = network.Minimize();
  ASSERT_TRUE(solution);
  EXPECT_EQ(solution->cost, 66666) << "always the first value: two of three cost 1";
}

}  // namespace
}  // namespace tessera::shard
