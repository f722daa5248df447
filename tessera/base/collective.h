// The eight collectives and their reductions, by NCCL's names: shared by plan, shard, comm and engine.
#pragma once

#include <optional>
#include <string_view>

namespace tessera {

enum class CollectiveOp { kAllReduce, kAllGather, kBroadcast, kReduce, kReduceScatter, kAllToAll, kGather, kScatter };
enum class ReduceOp { kNone, kSum, kProd, kMax, kMin, kAvg };

// As the attributes of a DistCollective node: "all_reduce", "sum", "none".
std::string_view Name(CollectiveOp op);
std::string_view Name(ReduceOp op);
std::optional<CollectiveOp> CollectiveOpFromName(std::string_view name);
std::optional<ReduceOp> ReduceOpFromName(std::string_view name);

// kAllReduce, kReduce and kReduceScatter take a ReduceOp, the others kNone.
bool Reduces(CollectiveOp op);
// kBroadcast, kReduce, kGather and kScatter have a root rank.
bool IsRooted(CollectiveOp op);

}  // namespace tessera
