// How a collective stands in a rank's ONNX graph: the DistCollective node, written by shard, read by the
// engines. One input, one output. Source: TensorRT's ONNX parser (onnx-tensorrt, importer of DistCollective),
// which matches the op type in any domain and wants all six attributes.
#pragma once

#include <cstdint>

namespace tessera::plan::dist_collective {

inline constexpr const char* kOpType = "DistCollective";
inline constexpr const char* kDomain = "tessera";  // one of our own: onnx.checker passes over it
inline constexpr int64_t kDomainVersion = 1;

// string: Name(CollectiveOp)
inline constexpr const char* kOperation = "collective_operation";
// string: Name(ReduceOp); "none" unless Reduces(op)
inline constexpr const char* kReduceOp = "reduce_op";
// int: kNoRoot unless IsRooted(op)
inline constexpr const char* kRoot = "root";
inline constexpr int64_t kNoRoot = -1;
// int: how many ranks take part
inline constexpr const char* kRankCount = "nb_rank";
// ints and int: subsets of the ranks; empty and 0 = all of them
inline constexpr const char* kGroups = "groups";
inline constexpr const char* kGroupSize = "group_size";

}  // namespace tessera::plan::dist_collective
