#include "tessera/build/visible_gpus.h"

#include <gtest/gtest.h>

namespace tessera::build {
namespace {

TEST(VisibleGpus, AreThoseThatAProgramMayUseAsTheDriverTells) {
  const auto gpus = VisibleGpus(TESSERA_FAKE_CUDA_DRIVER);
  ASSERT_TRUE(gpus) << gpus.error().message;
  ASSERT_EQ(gpus->size(), 2u);
  EXPECT_EQ(gpus->at(0).uuid, "GPU-64656667-6869-6a6b-6c6d-6e6f70717273");
  EXPECT_EQ(gpus->at(0).name, "L4");
  EXPECT_EQ(gpus->at(0).compute_capability, 89);
  EXPECT_EQ(gpus->at(1).uuid, "GPU-66676869-6a6b-6c6d-6e6f-707172737475");
  EXPECT_EQ(gpus->at(1).name, "L40");
}

TEST(VisibleGpus, WithoutADriverThereIsAnError) {
  EXPECT_EQ(VisibleGpus("libno-such-driver.so").error().code, Code::kNotFound);
  EXPECT_EQ(VisibleGpus("libc.so.6").error().message, "libc.so.6 lacks functions");
}

}  // namespace
}  // namespace tessera::build
