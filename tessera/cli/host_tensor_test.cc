#include "tessera/cli/host_tensor.h"

#include <gtest/gtest.h>

namespace tessera::cli {
namespace {

TEST(MakeTensor, NamesTheTensorWhoseTypeHasNoNumbers) {
  auto tensor = MakeTensor({"words", DType::kString, {2}});
  ASSERT_FALSE(tensor);
  EXPECT_EQ(tensor.error().message, "tensor 'words': no numbers can be made of element type BYTES");
}

TEST(MakeTensor, TellsThatThereIsNoMemoryForIt) {
  auto tensor = MakeTensor({"ids", DType::kInt64, {int64_t{1} << 40, int64_t{1} << 20}});
  ASSERT_FALSE(tensor);
  EXPECT_EQ(
      tensor.error().message,
      "tensor 'ids' INT64 [1099511627776,1048576] takes 18446744073709551615 bytes, which are not to be "
      "had");
}

}  // namespace
}  // namespace tessera::cli
