// What must hold between the ranks' engines and the plan before anything is enqueued: a rank that differs
// would hang the others, or answer wrongly without a word.
#pragma once

#include <memory>
#include <vector>

#include "tessera/engine/tensorrt/rank_runner.h"
#include "tessera/plan/plan.h"

namespace tessera::engine {

// The ranks have the same inputs and outputs (names, types, order), as many profiles and as many collectives;
// and as many collectives as the plan lists. Without a plan, several ranks have collectives. Errors:
// kInvalidArgument naming the rank, the got and the wanted.
Result<void> CheckRanksAgree(const std::vector<std::shared_ptr<RankRunner>>& runners, const plan::Plan& plan);

// The model's inputs and outputs are those of the plan. Errors: kInvalidArgument.
Result<void> CheckTensors(const EngineTensors& tensors, const plan::Plan& plan);

}  // namespace tessera::engine
