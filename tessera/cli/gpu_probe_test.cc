#include "tessera/cli/gpu_probe.h"

#include <gtest/gtest.h>

namespace tessera::cli {
namespace {

TEST(NcclVersionText, KnowsBothNumberings) {
  EXPECT_EQ(NcclVersionText(2708), "2.7.8");
  EXPECT_EQ(NcclVersionText(22703), "2.27.3");
}

TEST(ProbeGpus, GivesGpusOrAReasonOnEveryMachine) {
  auto gpus = ProbeGpus();
  if (gpus) {
    for (const Gpu& gpu : gpus->gpus) EXPECT_GT(gpu.memory.value(), 0U) << gpu.name;
  } else {
    EXPECT_FALSE(gpus.error().message.empty());
  }
}

}  // namespace
}  // namespace tessera::cli
