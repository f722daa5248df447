#include "tessera/triton/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tessera::triton {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ReadCommandLine, HasDefaultsForTheServersOwnKeys) {
  const CommandLine line = ReadCommandLine({{"auto-complete-config", "true"},
                                            {"backend-directory", "/opt/backends"},
                                            {"min-compute-capability", "6.000000"},
                                            {"default-max-batch-size", "4"}})
                               .value();
  EXPECT_EQ(line.default_batch, 64);
  EXPECT_FALSE(line.version_compatible);
  EXPECT_THAT(line.plugins, IsEmpty());
  EXPECT_THAT(line.without_effect, IsEmpty());
}

TEST(ReadCommandLine, TakesWhatMeansSomething) {
  const CommandLine line = ReadCommandLine({{"default-max-batch", "8"},
                                            {"version-compatible", "True"},
                                            {"plugins", "/a/one.so;two.so;"},
                                            {"execution-policy", "BLOCKING"},
                                            {"multi-device-connect", "0,1;3,2"},
                                            {"multi-device-spare", "false"},
                                            {"map-plans", "true"}})
                               .value();
  EXPECT_EQ(line.default_batch, 8);
  EXPECT_TRUE(line.version_compatible);
  EXPECT_THAT(line.plugins, ElementsAre("/a/one.so", "two.so"));
  EXPECT_THAT(line.connect,
              ElementsAre(ElementsAre(DeviceId{0}, DeviceId{1}), ElementsAre(DeviceId{3}, DeviceId{2})));
  EXPECT_FALSE(line.spare_connections);
  EXPECT_TRUE(line.map_plans);
  EXPECT_THAT(line.without_effect, IsEmpty());
}

TEST(ReadCommandLine, TakesTheServersLimitOfAGpusMemory) {
  const CommandLine line =
      ReadCommandLine({{"model-load-gpu-limit-device-0", "0.500000"}, {"model-load-gpu-limit-device-3", "1"}})
          .value();
  EXPECT_THAT(line.memory_limits, ElementsAre(std::pair(0, 0.5), std::pair(3, 1.0)));
  EXPECT_THAT(line.without_effect, IsEmpty());
  EXPECT_EQ(ReadCommandLine({{"model-load-gpu-limit-device-0", "half"}}).error().message,
            "model-load-gpu-limit-device-0 is 'half', wanted a number");
}

TEST(ReadCommandLine, SaysWhatHasNoEffectAndWhy) {
  const CommandLine line =
      ReadCommandLine(
          {{"coalesce-request-input", "true"}, {"execution-policy", "DEVICE_BLOCKING"}, {"plugin", "one.so"}})
          .value();
  EXPECT_THAT(line.without_effect,
              ElementsAre(HasSubstr("tensorrt,coalesce-request-input has no effect: "),
                          HasSubstr("tensorrt,execution-policy has no effect: "),
                          HasSubstr("tensorrt,plugin has no effect: the backend knows no such key")));
}

TEST(ReadCommandLine, RefusesValuesThatAreNone) {
  EXPECT_EQ(ReadCommandLine({{"execution-policy", "FAST"}}).error().message,
            "execution-policy is 'FAST', wanted DEVICE_BLOCKING or BLOCKING");
  EXPECT_FALSE(ReadCommandLine({{"version-compatible", "perhaps"}}));
  EXPECT_FALSE(ReadCommandLine({{"multi-device-spare", "perhaps"}}));
  EXPECT_FALSE(ReadCommandLine({{"map-plans", "perhaps"}}));
  EXPECT_EQ(ReadCommandLine({{"multi-device-connect", "0,1;2,2"}}).error().message,
            "multi-device-connect is '2,2': GPU 2 stands there twice, each rank wants its own");
  EXPECT_FALSE(ReadCommandLine({{"coalesce-request-input", ""}}));
  EXPECT_FALSE(ReadCommandLine({{"default-max-batch", "0"}}));
}

}  // namespace
}  // namespace tessera::triton
