// For tests of the tests: a sharded model with one thing wrong.
#pragma once

#include <random>
#include <string>

#include "tessera/shard/rank_model.h"

namespace tessera::shard::testing {

// Changes one thing that a wrong compiler could get wrong, chosen by chance among all that `ranks` offers: a
// collective left out or of another kind, a rank's offset, an axis, a divisor, a bias on every rank ... Says
// what. "" = nothing to change.
std::string Mutate(RankModel& ranks, std::mt19937& random);

}  // namespace tessera::shard::testing
