// What `tessera shard` and `tessera inspect` tell of a plan.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "tessera/shard/shard.h"

namespace tessera::cli {

// The object of --json as DESIGN.md gives it.
nlohmann::ordered_json ShardJson(const shard::Outcome& outcome);

// The summary for people: strategy, weights of a rank against the whole, collectives, layouts.
std::string ShardSummary(const shard::Outcome& outcome);

// "2 x all_reduce(sum)", as many lines as there are kinds, with the bytes that a rank sends.
std::string CollectiveLines(const plan::Plan& plan);

// "split on axis 1", "replicated", "on rank 0"
std::string LayoutText(const plan::Layout& layout);

}  // namespace tessera::cli
