// What each value of the rank graphs holds of the unsharded model, on disk: trace.json beside plan.json,
// written on demand, for comparing the ranks with the whole model step by step.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/shard/rank_model.h"

namespace tessera::shard {

inline constexpr const char* kTraceFile = "trace.json";

struct TracedValue {
  std::string value;  // of the rank graphs
  std::string of;     // the model's value that it holds, in `state`
  State state;
};

// The values that nodes of `ranks` make, in the order of computation.
std::vector<TracedValue> TraceOf(const graph::Graph& model, const RankModel& ranks);

Result<void> WriteTrace(const std::vector<TracedValue>& trace, const std::filesystem::path& directory);

// Errors: kNotFound (the model was sharded without one), kInvalidArgument (not a trace).
Result<std::vector<TracedValue>> ReadTrace(const std::filesystem::path& directory);

}  // namespace tessera::shard
