// Plans searched and priced, not written yet.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/shard/candidates.h"
#include "tessera/shard/cost.h"
#include "tessera/shard/hints.h"
#include "tessera/shard/search.h"
#include "tessera/shard/shard.h"
#include "tessera/shard/strategy.h"

namespace tessera::shard {

struct Draft {
  const Strategy* strategy = nullptr;
  int parts = 1;
  std::shared_ptr<const Candidates> candidates;  // shared by drafts of one space
  Assignment assignment;
  Alternative price;
  double batched_us = 0;  // what batches save of the time that the search saw: it knows of none (see batch.h)

  const Row& RowOf(size_t node) const {
    return candidates->rows[node][static_cast<size_t>(assignment.row[node])];
  }
};

// Whose figures price the plans.
const Machine& MachineOf(const Options& options);

// Searches the strategy's space for plans that keep to `hints`. A plan that splits nothing, or a hint that
// cannot be kept, is kUnsupported, with the reason.
Result<Draft> DraftPlan(const graph::Graph& graph, const Options& options, const Strategy& strategy,
                        int parts, const std::vector<Hint>& hints = {});

// The same over rows that are given, some of the space's.
Result<Draft> DraftOver(const graph::Graph& graph, const Options& options, const Strategy& strategy,
                        int parts, Candidates candidates);

// The plans of `first`'s space on the lower convex hull of time and memory, fastest first: the price of a
// byte of weights is swept, in about `most_searches` searches. Empty where every rank has all weights anyway,
// or with fewer than two searches.
Result<std::vector<Draft>> SweepMemory(const graph::Graph& graph, const Options& options, const Draft& first,
                                       int most_searches);

}  // namespace tessera::shard
