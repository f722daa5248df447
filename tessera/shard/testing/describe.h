// For tests: rules and rows as text.
#pragma once

#include <string>
#include <vector>

#include "tessera/shard/row.h"

namespace tessera::shard::testing {

// "a=2 b=3+ c=8!: a b, b (a c) -> . c": factors by letter with size and mark (+ > < ~ for the reductions,
// ! whole), then the dimensions of every input and output; "." = none.
std::string Describe(const Rule& rule);

// "S(0) R -> S(0)"; "*" = any state, "-" = absent.
std::string Describe(const Row& row);

// Every row that plain splits of any operand's dimensions and partial sums lead to, and what those lead to
// in turn, sorted; the replicated row is not listed.
std::vector<Row> AllRows(const Rows& rows, const OpView& op);

// The rule and its rows for the last node of a graph, a line each.
std::string DescribeLast(const graph::Graph& graph, int parts);

}  // namespace tessera::shard::testing
