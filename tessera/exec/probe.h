// A model is tried before its first request: engines that were built wrongly, for another model or on a
// machine whose GPUs do not exchange what they should answer, too - something.
#pragma once

#include <filesystem>

#include "tessera/base/deadline.h"
#include "tessera/base/result.h"
#include "tessera/engine/rank_group.h"
#include "tessera/plan/plan.h"

namespace tessera::exec {

// Runs one step on `group`, loaded from `directory`, whose inputs and outputs `plan` tells.
// With a recorded probe in the plan: every rank's outputs are compared with the recorded answer; engines that
// take no such sizes are a warning in the log. Without one, where the engines tell their usual sizes: outputs
// that the plan calls replicated are compared with rank 0's, on random inputs; inputs beyond kMostProbedBytes
// are not tried. Of a directory without plan.json nobody knows what is replicated: a difference is a warning
// in the log. Errors: kInvalidArgument (the line names output, rank, how far off, tolerance), kNotFound (the
// probe's file), those of the step.
Result<void> ProbeRanks(const plan::Plan& plan, const std::filesystem::path& directory,
                        engine::RankGroup& group, Deadline deadline);

inline constexpr uint64_t kMostProbedBytes = uint64_t{16} << 20;

}  // namespace tessera::exec
