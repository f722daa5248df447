#include "tessera/plan/engine_layers.h"

#include <gtest/gtest.h>

namespace tessera::plan {
namespace {

TEST(CollectiveOfLayer, TakesTheNodesNameWithoutWhatTheCompilerAppended) {
  EXPECT_EQ(CollectiveOfLayer("Name: val_155_U25_myl0_19, LayerType: comm_allreduce, Inputs: [ { Name: x }]"),
            (EngineCollective{"val_155", "comm_allreduce", true}));
  EXPECT_EQ(CollectiveOfLayer("Name: a_7.b_U1_myl12_0, LayerType: comm_allgather, Inputs: []"),
            (EngineCollective{"a_7.b", "comm_allgather", true}));
}

TEST(CollectiveOfLayer, KnowsOperationsWithoutAKernelOfTheirOwn) {
  EXPECT_EQ(CollectiveOfLayer("Name: y_2, LayerType: DistCollective, Inputs: []"),
            (EngineCollective{"y_2", "DistCollective", true}));
}

TEST(CollectiveOfLayer, TellsTheFirstProfileFromTheOthers) {
  const auto found =
      CollectiveOfLayer("Name: v_1 [profile 2]_U3_myl2_9, LayerType: comm_alltoall, Inputs: []");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "v_1 [profile 2]");
  EXPECT_FALSE(found->first_profile);
}

TEST(CollectiveOfLayer, AnotherLayerIsNoneWhateverItsName) {
  EXPECT_FALSE(CollectiveOfLayer("Name: comm_U1_myl0_1, LayerType: gemm, Inputs: [ { Name: comm_x }]"));
  EXPECT_FALSE(CollectiveOfLayer("I/O Tensors:"));
  EXPECT_FALSE(CollectiveOfLayer(""));
}

}  // namespace
}  // namespace tessera::plan
