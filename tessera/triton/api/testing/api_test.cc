#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/triton/api/testing/table.h"

namespace tessera::triton::testing {
namespace {

TEST(TritonApi, DeclaresWhatTheOfficialHeadersDeclare) {
  EXPECT_THAT(OwnTable(), ::testing::ContainerEq(OfficialTable()));
}

TEST(TritonApi, TableHasFunctionsAndEnumerators) {
  Table own = OwnTable();
  EXPECT_GT(own.size(), 90U);
  EXPECT_EQ(own["TRITONSERVER_TYPE_BF16"], "14");
  EXPECT_EQ(own["TRITONSERVER_ErrorNew"], "TRITONSERVER_Error*(TRITONSERVER_Error_Code,const c*,)");
}

}  // namespace
}  // namespace tessera::triton::testing
