// Cuts as the elements of a dimension that each rank holds: written apart from Cut::Indices, which this
// checks.
#pragma once

#include <optional>
#include <vector>

#include "tessera/shard/cut.h"

namespace tessera::shard::check {

// By rank, in their order on the rank, of a dimension of `size` cut for `parts` ranks. Empty: `cut` is none
// for so many.
std::vector<std::vector<int64_t>> ElementsOfRanks(const Cut& cut, int64_t size, int parts);

// The cut by which the ranks hold these elements of a dimension of `size`; nullopt: none.
std::optional<Cut> CutOfElements(const std::vector<std::vector<int64_t>>& held, int64_t size);

}  // namespace tessera::shard::check
