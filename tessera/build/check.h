// Whether the engines hold the collectives that the plan lists.
#pragma once

#include <vector>

#include "tessera/base/result.h"
#include "tessera/build/rank_build.h"
#include "tessera/plan/plan.h"

namespace tessera::build {

// Every rank parsed the plan's collectives in the plan's order; every engine holds each of them once, of its
// kind, in each profile; and all engines issue them in the same order, without which the ranks would wait for
// each other for ever. (The compiler may change the order of independent ones, alike on all ranks.) Errors:
// kInvalidArgument naming the rank, the collective, the got and the wanted.
Result<void> CheckCollectives(const plan::Plan& plan, const std::vector<RankReport>& ranks);

}  // namespace tessera::build
