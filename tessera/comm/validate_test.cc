#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "tessera/comm/communicator.h"

namespace tessera::comm {
namespace {

using ::testing::HasSubstr;

std::array<std::byte, 4096> memory;

// A call with buffers of these many bytes, far apart.
Result<void> Check(const Collective& what, size_t send, size_t recv, int rank = 0, int world_size = 4) {
  return Validate(what, Rank{rank}, world_size, Bytes(memory.data(), send),
                  MutableBytes(memory.data() + memory.size() / 2, recv));
}

Collective Of(CollectiveOp op, int root = 0) {
  return {op, Reduces(op) ? ReduceOp::kSum : ReduceOp::kNone, Rank{root}, DType::kFloat32};
}

void ExpectRefused(const Result<void>& checked, const std::string& why) {
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, Code::kInvalidArgument);
  EXPECT_THAT(checked.error().message, HasSubstr(why));
}

TEST(Validate, TakesTheSizesOfEachOp) {
  EXPECT_TRUE(Check(Of(CollectiveOp::kAllReduce), 32, 32));
  EXPECT_TRUE(Check(Of(CollectiveOp::kAllGather), 32, 128));
  EXPECT_TRUE(Check(Of(CollectiveOp::kBroadcast), 32, 32));
  EXPECT_TRUE(Check(Of(CollectiveOp::kReduce), 32, 32));
  EXPECT_TRUE(Check(Of(CollectiveOp::kReduceScatter), 128, 32));
  EXPECT_TRUE(Check(Of(CollectiveOp::kAllToAll), 128, 128));
  EXPECT_TRUE(Check(Of(CollectiveOp::kGather), 32, 128));
  EXPECT_TRUE(Check(Of(CollectiveOp::kScatter), 128, 32));
}

TEST(Validate, TakesNoElements) {
  for (int op = 0; op < 8; ++op) EXPECT_TRUE(Check(Of(static_cast<CollectiveOp>(op)), 0, 0)) << op;
}

TEST(Validate, TakesNoBufferWhereItIsNotUsed) {
  EXPECT_TRUE(Check(Of(CollectiveOp::kBroadcast), 0, 32, /*rank=*/1));
  EXPECT_TRUE(Check(Of(CollectiveOp::kReduce), 32, 0, 1));
  EXPECT_TRUE(Check(Of(CollectiveOp::kGather), 32, 0, 1));
  EXPECT_TRUE(Check(Of(CollectiveOp::kScatter), 0, 32, 1));
}

TEST(Validate, WantsTheBufferOnTheRoot) {
  ExpectRefused(Check(Of(CollectiveOp::kReduce), 32, 0),
                "reduce of FP32: recv has 0 bytes, want 32 as send has 32");
  ExpectRefused(Check(Of(CollectiveOp::kScatter, 1), 0, 32, 1), "scatter of FP32");
}

TEST(Validate, RefusesSizesThatDoNotFit) {
  ExpectRefused(Check(Of(CollectiveOp::kAllReduce), 32, 36), "recv has 36 bytes, want 32 as send has 32");
  ExpectRefused(Check(Of(CollectiveOp::kAllGather), 32, 32), "recv has 32 bytes, want 128 as send has 32");
  ExpectRefused(Check(Of(CollectiveOp::kReduce), 32, 16, 1), "recv has 16 bytes, want 32");
}

TEST(Validate, RefusesPartsOfElementsAndOfBlocks) {
  ExpectRefused(Check(Of(CollectiveOp::kAllReduce), 30, 30), "send has 30 bytes, want a multiple of 4");
  ExpectRefused(Check(Of(CollectiveOp::kAllToAll), 24, 24), "send has 24 bytes, want a multiple of 16");
}

TEST(Validate, RefusesATypeThatNoAdapterReduces) {
  ExpectRefused(Check({CollectiveOp::kAllReduce, ReduceOp::kSum, Rank{0}, DType::kFloat64}, 32, 32),
                "all_reduce of FP64: want FP32");
  ExpectRefused(Check({CollectiveOp::kAllGather, ReduceOp::kNone, Rank{0}, DType::kUndefined}, 32, 128),
                "want FP32");
}

TEST(Validate, WantsAReductionExactlyWhereOneIsMade) {
  ExpectRefused(Check({CollectiveOp::kAllReduce, ReduceOp::kNone}, 32, 32),
                "want sum, prod, max, min or avg");
  ExpectRefused(Check({CollectiveOp::kAllGather, ReduceOp::kSum}, 32, 128), "'sum', want none");
}

TEST(Validate, RefusesARootOutsideTheGroupWhereThereIsOne) {
  ExpectRefused(Check(Of(CollectiveOp::kBroadcast, 4), 32, 32), "root 4, want 0 .. 3");
  ExpectRefused(Check(Of(CollectiveOp::kBroadcast, -1), 32, 32), "root -1");
  EXPECT_TRUE(Check(Of(CollectiveOp::kAllReduce, -1), 32, 32));
}

TEST(Validate, RefusesARankOutsideTheGroup) {
  ExpectRefused(Check(Of(CollectiveOp::kAllReduce), 32, 32, 4), "rank is 4, want 0 .. 3");
  ExpectRefused(Check(Of(CollectiveOp::kAllReduce), 32, 32, 0, 0), "world size is 0");
}

TEST(Validate, TakesOneBufferForBothButNoOverlap) {
  const Collective what = Of(CollectiveOp::kAllReduce);
  const auto at = [](size_t offset) { return MutableBytes(memory.data() + offset, 32); };
  EXPECT_TRUE(Validate(what, Rank{0}, 2, at(0), at(0)));
  EXPECT_TRUE(Validate(what, Rank{0}, 2, at(0), at(32)));
  ExpectRefused(Validate(what, Rank{0}, 2, at(0), at(16)), "overlap");
  ExpectRefused(Validate(what, Rank{0}, 2, at(16), at(0)), "overlap");
  ExpectRefused(Validate(Of(CollectiveOp::kAllGather), Rank{0}, 2, at(0), MutableBytes(memory.data(), 64)),
                "overlap");
}

}  // namespace
}  // namespace tessera::comm
