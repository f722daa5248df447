// Which pieces of the old dimensions make up the new ones in a reshape.
#pragma once

#include <optional>

#include "tessera/shard/rule.h"

namespace tessera::shard {

// Factors common to the dimensions of `from` and `to`, which hold the same elements in the same order. Found
// from the left and then from the right by greatest common divisors and equal symbols; what is left in the
// middle is one compound where one side has a single dimension, and uncut otherwise.
Rule FactorChain(const graph::Value& from, const graph::Value& to);

}  // namespace tessera::shard
