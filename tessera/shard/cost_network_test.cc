#include "tessera/shard/cost_network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace tessera::shard {
namespace {

// A network with a list of its own tables, so that every assignment can be tried.
struct RandomNetwork {
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

RandomNetwork Draw(std::mt19937& random) {
  RandomNetwork sample;
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
    const RandomNetwork sample = Draw(random);
    const auto solution = sample.network.Minimize();
    ASSERT_TRUE(solution.exact);
    const double best = sample.BestByTrying();
    if (best >= kForbidden) {
      ASSERT_GE(solution.cost, kForbidden) << "network " << i;
      continue;
    }
    ++possible;
    ASSERT_DOUBLE_EQ(solution.cost, best) << "network " << i;
    ASSERT_DOUBLE_EQ(sample.Cost(solution.values), best) << "network " << i << ": the values cost otherwise";
  }
  EXPECT_GT(possible, 500);
}

// What the search promises where it may not be exact: allowed if value 0 everywhere is, a true bound below.
TEST(CostNetwork, BoundsWhatItMissesWhereTablesWouldBeTooLarge) {
  std::mt19937 random(11);
  int wide = 0;
  int optimal = 0;
  for (int i = 0; i < 1000; ++i) {
    RandomNetwork sample = Draw(random);
    const auto solution = sample.network.Minimize(16);
    const double best = sample.BestByTrying();
    ASSERT_LE(std::min(solution.lower_bound, kForbidden), std::min(best, kForbidden)) << "network " << i;
    ASSERT_GE(solution.cost, std::min(best, kForbidden)) << "network " << i;
    ASSERT_LE(solution.cost, sample.Cost(std::vector<int>(sample.domains.size()))) << "network " << i;
    if (sample.Cost(solution.values) < kForbidden) {
      ASSERT_DOUBLE_EQ(sample.Cost(solution.values), solution.cost) << "network " << i;
    }
    if (solution.exact) {
      ASSERT_DOUBLE_EQ(solution.lower_bound, solution.cost) << "network " << i;
      continue;
    }
    ++wide;
    optimal += solution.cost == best ? 1 : 0;
  }
  EXPECT_GT(wide, 150) << "networks that need larger tables";
  EXPECT_GT(optimal, wide * 8 / 10) << "of those, solved all the same";
}

TEST(CostNetwork, OfNothingCostsNothing) {
  EXPECT_EQ(CostNetwork().Minimize().cost, 0);
}

TEST(CostNetwork, LongChainIsCheap) {
  CostNetwork network;
  for (int v = 0; v < 100000; ++v) {
    network.AddVariable(3);
    network.AddUnary(v, {v % 3 == 0 ? 0.0 : 1.0, 1, 1});
    if (v > 0) network.AddPair(v - 1, v, {0, 2, 2, 2, 0, 2, 2, 2, 0});
  }
  EXPECT_EQ(network.Minimize().cost, 66666) << "always the first value: two of three cost 1";
}

}  // namespace
}  // namespace tessera::shard
