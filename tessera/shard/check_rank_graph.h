// What the checks ask of the ranks' graph and of the model.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "tessera/shard/rank_model.h"

namespace tessera::shard::check {

// The elements of an integer constant, the same on every rank; nullopt if it is none.
std::optional<std::vector<int64_t>> SharedIntegers(const RankModel& ranks, graph::ValueId id);

// The same told by input `input` of `node` where it has one, else by its attribute.
std::optional<std::vector<int64_t>> ToldIntegers(const RankModel& ranks, const graph::Node& node,
                                                 size_t input, const char* attribute);

// Whether the integer constant is wanted(rank) on each rank.
bool EachRankHas(const RankModel& ranks, graph::ValueId id,
                 const std::function<std::vector<int64_t>(int rank)>& wanted);

// The node of the ranks' graph that makes `id`; nullptr if none does, or if it is not a standard `op` of so
// many inputs.
const graph::Node* MakerOf(const RankModel& ranks, graph::ValueId id);
const graph::Node* MakerOf(const RankModel& ranks, graph::ValueId id, const char* op, size_t inputs);

// The axis of a node of the model in its first input.
struct EvenAxis {
  int64_t rank = 0;  // of that input
  int64_t axis = 0;  // from 0
  int64_t size = 0;
};
// nullopt unless its size is known and makes `parts` equal parts. `otherwise`: where the node has no
// attribute "axis".
std::optional<EvenAxis> EvenAxisOf(const graph::Graph& model, const graph::Node& node, int64_t otherwise,
                                   int parts);

// The permutations of a Transpose that bring `axis` to the front of `dims` dimensions, and back.
std::vector<int64_t> ToFront(int64_t axis, int64_t dims);
std::vector<int64_t> FromFront(int64_t axis, int64_t dims);

}  // namespace tessera::shard::check
