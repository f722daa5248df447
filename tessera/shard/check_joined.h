// Partial values of the model, side by side: one all-reduce makes all of them whole.
#pragma once

#include <optional>

#include "tessera/base/result.h"
#include "tessera/shard/check_held.h"

namespace tessera::shard::check {

// What `node` holds if it lays partial values of the model side by side, or sums such a row over the ranks;
// nullopt: it is something else.
std::optional<Held> Joined(const graph::Graph& model, const HeldValues& held, const graph::Node& node);

// Whether `node` cuts such a row.
bool TakesApart(const HeldValues& held, const graph::Node& node);

// `node` cuts a row that was summed into the values that it is made of, in their order.
// Errors: kInternal, saying what is wrong with the node.
Result<void> CheckTakenApart(const graph::Graph& model, const RankModel& ranks, const HeldValues& held,
                             const graph::Node& node);

}  // namespace tessera::shard::check
