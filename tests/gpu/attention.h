// Six attention layers over one sequence, sharded by `tessera shard --strategy context`.
#pragma once

#include <filesystem>

#include "tessera/base/result.h"
#include "tessera/plan/plan.h"

namespace tessera::gputest {

inline constexpr int64_t kAttentionHidden = 4096;

// Whether make_cases.py has made it for as many ranks ($TESSERA_ATTENTION/RANKS).
bool HasAttention(int ranks);

// The plan, and in `directory` the one engine that every rank loads: x fp16 [1, sequence, 4096] -> y, both
// split along the sequence, of 1024 to 32768. The weights (800 MB) are made on first use, the same for any
// number of ranks.
Result<plan::Plan> WriteAttention(int ranks, const std::filesystem::path& directory);

}  // namespace tessera::gputest
