// What can be told of the stand-in without a GPU.
#include <NvInferVersion.h>
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tessera/base/log.h"
#include "tessera/engine/tensorrt/library.h"
#include "tessera/engine/tensorrt/plugins.h"

namespace tessera::standin {
namespace {

class StandinLibrary : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* file = std::getenv("TESSERA_NVINFER_LIBRARY");
    ASSERT_NE(file, nullptr) << "ctest sets it";
    handle_ = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(handle_, nullptr) << dlerror();
  }
  void* handle_ = nullptr;
};

TEST_F(StandinLibrary, HasTheEntryPointsOfTensorRt) {
  EXPECT_NE(dlsym(handle_, "createInferRuntime_INTERNAL"), nullptr);
  auto version = reinterpret_cast<int32_t (*)()>(dlsym(handle_, "getInferLibVersion"));
  ASSERT_NE(version, nullptr);
  EXPECT_EQ(version(), NV_TENSORRT_VERSION);
}

TEST_F(StandinLibrary, IsTakenByTheAdapter) {
  const auto library = engine::TensorRtLibrary::Open();
  ASSERT_TRUE(library) << library.error().ToString();
  EXPECT_THAT((*library)->version(), ::testing::StartsWith("11."));
  EXPECT_EQ((*library)->folder(),
            std::filesystem::path(std::getenv("TESSERA_NVINFER_LIBRARY")).parent_path());
}

TEST_F(StandinLibrary, MakesNoRuntimeForAnotherMajorVersion) {
  using Create = void* (*)(void*, int32_t);
  auto create = reinterpret_cast<Create>(dlsym(handle_, "createInferRuntime_INTERNAL"));
  ASSERT_NE(create, nullptr);
  EXPECT_EQ(create(this, 100500), nullptr);
}

TEST_F(StandinLibrary, PluginLibrariesAreOpenedAndAMissingOneIsNamed) {
  const auto library = engine::TensorRtLibrary::Open();
  ASSERT_TRUE(library);
  EXPECT_TRUE(engine::LoadPlugins(**library, {"libm.so.6"}));
  EXPECT_TRUE(engine::LoadPlugins(**library, {"libm.so.6"}));
  const Result<void> missing = engine::LoadPlugins(**library, {"libm.so.6", "/no/such_plugin.so"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::kUnavailable);
  EXPECT_THAT(missing.error().message, ::testing::HasSubstr("/no/such_plugin.so"));
}

// They may speak long after the model that had them loaded is gone.
TEST_F(StandinLibrary, WhatPluginsSayComesToTheLog) {
  const char* file = std::getenv("TESSERA_TEST_PLUGIN");
  ASSERT_NE(file, nullptr) << "ctest sets it";
  const auto library = engine::TensorRtLibrary::Open();
  ASSERT_TRUE(library && engine::LoadPlugins(**library, {file}));
  void* plugin = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(plugin, nullptr) << dlerror();
  auto say = reinterpret_cast<void (*)(const char*)>(dlsym(plugin, "LogFromPlugin"));
  ASSERT_NE(say, nullptr);
  std::string heard;
  SetLogSink([&](LogLevel, const char*, int, std::string_view message) { heard += message; });
  say("no kernel for this shape");
  SetLogSink({});
  EXPECT_EQ(heard, "TensorRT: no kernel for this shape");
}

}  // namespace
}  // namespace tessera::standin
