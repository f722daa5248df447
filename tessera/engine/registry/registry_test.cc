#include "tessera/engine/registry/registry.h"

#include <gtest/gtest.h>

namespace tessera::engine {
namespace {

TEST(EngineRegistry, MakesOpenVino) {
  Result<std::unique_ptr<Engine>> engine = MakeEngine("openvino");
  ASSERT_TRUE(engine);
  EXPECT_EQ((*engine)->name(), "openvino");
}

#ifdef TESSERA_WITH_TENSORRT
TEST(EngineRegistry, MakesTensorRtWithoutOpeningItsLibrary) {
  Result<std::unique_ptr<Engine>> engine = MakeEngine("tensorrt", {0, {DeviceId(1), DeviceId(0)}});
  ASSERT_TRUE(engine);
  EXPECT_EQ((*engine)->name(), "tensorrt");
}

TEST(EngineRegistry, AGpuThatIsNotThereIsNotConnectedAhead) {
  EXPECT_EQ(ConnectAhead({DeviceId(62), DeviceId(63)}).error().code, Code::kUnavailable);
}
#else
TEST(EngineRegistry, ABuildWithoutTensorRtConnectsNoGpus) {
  EXPECT_EQ(ConnectAhead({DeviceId(0), DeviceId(1)}).error().code, Code::kUnsupported);
}

TEST(EngineRegistry, ABuildWithoutTensorRtSaysSoWhereverItIsAsked) {
  for (const Error& error : {CheckSeveralGpus().error(), TensorRtVersion().error()}) {
    EXPECT_EQ(error.code, Code::kUnsupported);
    EXPECT_NE(error.message.find("TRITON_ENABLE_TENSORRT_MULTI_DEVICE=ON"), std::string::npos);
  }
}

TEST(EngineRegistry, AnEngineThatIsNotBuiltNamesItsSwitch) {
  Result<std::unique_ptr<Engine>> engine = MakeEngine("tensorrt");
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, Code::kUnsupported);
  EXPECT_EQ(
      engine.error().message,
      "engine 'tensorrt' is not in this build: configure with -DTRITON_ENABLE_TENSORRT_MULTI_DEVICE=ON");
}
#endif

TEST(EngineRegistry, AnUnknownEngineListsTheNames) {
  Result<std::unique_ptr<Engine>> engine = MakeEngine("onnxruntime");
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, Code::kInvalidArgument);
  EXPECT_EQ(engine.error().message, "unknown engine 'onnxruntime', wanted openvino or tensorrt");
}

}  // namespace
}  // namespace tessera::engine
