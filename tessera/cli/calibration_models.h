// Models made to be timed: each step is a few equal ops, the same on every rank.
#pragma once

#include <filesystem>

#include "tessera/shard/rank_model.h"

namespace tessera::cli {

// `count` products in a row: [rows, size] x [size, size], each with weights of its own.
shard::RankModel ProductModel(int ranks, int64_t rows, int64_t size, int count);

// `count` ops in a row that have next to nothing to do: products and softmaxes of a few numbers.
shard::RankModel TinyOpsModel(int ranks, int count);

// `count` element-wise ops, each of an input of its own of `bytes`.
shard::RankModel ElementwiseModel(int ranks, int64_t bytes, int count);

// `count` times `op`, all of the same input; `bytes` is the larger of what a rank sends and gets.
shard::RankModel CollectiveModel(int ranks, CollectiveOp op, int64_t bytes, int count);

// Writes the ranks and plan.json into `directory`, which must be empty, for `engine` to run.
Result<void> WriteRankModel(const shard::RankModel& model, std::string_view engine,
                            const std::filesystem::path& directory);

}  // namespace tessera::cli
