#include "tessera/build/tensorrt/messages.h"

#include <gtest/gtest.h>

namespace tessera::build {
namespace {

using Severity = nvinfer1::ILogger::Severity;

TEST(BuilderMessages, TheFirstErrorAndTheLastAreTakenOnce) {
  Messages messages(false);
  EXPECT_EQ(messages.TakeErrors(), "no reason given");
  messages.log(Severity::kWARNING, "slow");
  messages.log(Severity::kERROR, "the\n  cause");
  EXPECT_EQ(messages.TakeErrors(), "the cause");
  EXPECT_EQ(messages.TakeErrors(), "no reason given");
  for (const char* error : {"the cause", "its caller", "the call failed"})
    messages.log(Severity::kINTERNAL_ERROR, error);
  EXPECT_EQ(messages.TakeErrors(), "the cause; the call failed");
}

TEST(BuilderMessages, AKernelThatWasPassedOverIsNoReason) {
  Messages messages(false);
  messages.log(Severity::kERROR,
               "Skipping tactic 0x2a due to insufficient memory on requested size of 4294967296");
  EXPECT_EQ(messages.TakeErrors(), "no reason given");
  messages.log(Severity::kERROR, "Could not find any implementation for node x");
  messages.log(Severity::kERROR, "Skipping tactic 0x2b due to insufficient memory");
  EXPECT_EQ(messages.TakeErrors(), "Could not find any implementation for node x");
}

TEST(BuilderMessages, TheLayersAreThoseOfTheLastList) {
  Messages messages(false);
  EXPECT_FALSE(messages.layers_listed());
  messages.log(Severity::kVERBOSE, "Layers:\nName: a, LayerType: Shuffle");
  EXPECT_TRUE(messages.layers_listed());
  EXPECT_TRUE(messages.Collectives().empty());
}

}  // namespace
}  // namespace tessera::build
