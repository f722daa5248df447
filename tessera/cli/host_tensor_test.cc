#include "tessera/cli/host_tensor.h"

#include <gtest/gtest.h>

namespace tessera::cli {
namespace {

TEST(MakeTensor, NamesTheTensorWhoseTypeHasNoNumbers) {
  auto tensor = MakeTensor({"words", DType::kString, {2}});
  ASSERT_FALSE(tensor);
  EXPECT_EQ(tensor.error().message, "tensor 'words': no numbers can be made of element type BYTES");
}

}  // namespace
}  // namespace tessera::cli
