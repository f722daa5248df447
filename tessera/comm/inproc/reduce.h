// The arithmetic of the reductions on host memory.
#pragma once

#include <cstddef>
#include <span>

#include "tessera/base/collective.h"
#include "tessera/base/types.h"

namespace tessera::comm {

// Reduces `count` elements of every source, in the order of `sources`, and writes the result to every
// destination. A destination may be one of the sources, or else overlaps none. No alignment is wanted.
// Integers wrap around, their avg is that of the exact sum for types below 64 bits. Requires a type of
// Collective::type and op != kNone.
void Reduce(DType type, ReduceOp op, std::span<const std::byte* const> sources,
            std::span<std::byte* const> destinations, size_t count);

}  // namespace tessera::comm
