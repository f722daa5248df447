#include "tessera/shard/strategy.h"

namespace tessera::shard {
namespace {

// Asked for by name, a strategy splits whatever it can: a microsecond a byte outweighs any collective, but for
// two weights in a hundred, ..
constexpr Objective kHoldLess{1.0, 1, 0.02};
// .. and so does work at a thousand times its price.
constexpr Objective kWorkLess{0, 1000, 0};
constexpr Objective kTime{0, 1, 0};

}  // namespace

const std::vector<Strategy>& AllStrategies() {
  static const std::vector<Strategy> all{
      {"tensor", "tp", {.parts = 1, .weights = true}, kHoldLess},
      {"context", "cp", {.parts = 1, .weights = false, .context = true, .dynamic = true}, kWorkLess},
      {"data", "dp", {.parts = 1, .weights = false, .batch = true, .dynamic = true}, kWorkLess},
      {"mixed", "mp", {.parts = 1, .weights = true, .batch = true, .context = true}, kTime},
  };
  return all;
}

const Strategy& OneRank() {
  static const Strategy one{"single", "tp", {.parts = 1, .weights = false}, kTime};
  return one;
}

}  // namespace tessera::shard
