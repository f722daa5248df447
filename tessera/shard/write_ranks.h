// Rank models and their weights on disk.
#pragma once

#include <filesystem>
#include <functional>

#include "tessera/base/result.h"
#include "tessera/shard/rank_model.h"

namespace tessera::shard {

// Writes model.onnx.rank{r} and the external weights into `directory`: model.weights.shared, which all ranks
// map, and model.weights.rank{r}. Tensors are cut one at a time: memory stays small whatever the model's
// size. `progress` gets the number of ranks written. Gives one RankPlan a rank, sizes and sha256 filled in.
Result<std::vector<plan::RankPlan>> WriteRanks(const RankModel& model, const std::filesystem::path& directory,
                                               const std::function<void(int)>& progress);

}  // namespace tessera::shard
