#include "tessera/engine/tensorrt/logger.h"

#include <NvInferVersion.h>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tessera/base/log.h"
#include "tessera/engine/tensorrt/library.h"

namespace tessera::engine {
namespace {

using Severity = nvinfer1::ILogger::Severity;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

void Say(Severity severity, const std::string& message) {
  TensorRtLogger::OfProcess().log(severity, message.c_str());
}

TEST(TensorRtLogger, TakesTheFirstErrorOfAThreadAndTheLastAndTheseOnce) {
  EXPECT_EQ(TensorRtLogger::TakeErrors(), "no reason given");
  Say(Severity::kERROR, "the cause");
  EXPECT_EQ(TensorRtLogger::TakeErrors(), "the cause");
  Say(Severity::kWARNING, "no error");
  EXPECT_EQ(TensorRtLogger::TakeErrors(), "no reason given");
  for (const char* error : {"the cause", "what came of it", "the call failed"}) Say(Severity::kERROR, error);
  std::thread([] {
    Say(Severity::kINTERNAL_ERROR, "another's");
    EXPECT_EQ(TensorRtLogger::TakeErrors(), "another's");
  }).join();
  EXPECT_EQ(TensorRtLogger::TakeErrors(), "the cause; the call failed");
}

TEST(TensorRtLogger, TellsWhoseThreadItWas) {
  std::vector<std::string> heard;
  SetLogSink([&](LogLevel, const char*, int, std::string_view message) { heard.emplace_back(message); });
  Say(Severity::kERROR, "a");
  std::thread([] {
    TensorRtLogger::NameThread("rank 1");
    Say(Severity::kWARNING, "b");
  }).join();
  SetLogSink({});
  EXPECT_THAT(heard, ElementsAre("TensorRT: a", "TensorRT, rank 1: b"));
  (void)TensorRtLogger::TakeErrors();
}

TEST(TensorRtLogger, CutsVeryLongMessages) {
  const std::string text(1100, 'x');
  Say(Severity::kERROR, text);
  EXPECT_EQ(TensorRtLogger::TakeErrors(), text.substr(0, 1024));
}

TEST(CheckLibraryVersion, WantsTheHeadersVersionOrALaterOneOfTheSameMajor) {
  const int here = 10000 * NV_TENSORRT_MAJOR + 100 * NV_TENSORRT_MINOR;
  for (const int number : {here, here + 7, here + 100, here + 3 * 100}) {
    EXPECT_TRUE(CheckLibraryVersion("a.so", number)) << number;
  }
  for (const int number : {here - 1, here - 10000, here + 10000, 8601}) {
    const Result<void> refused = CheckLibraryVersion("a.so", number);
    ASSERT_FALSE(refused) << number;
    EXPECT_EQ(refused.error().code, Code::kUnsupported);
    EXPECT_THAT(refused.error().message,
                HasSubstr(fmt::format("this program was built with the headers of {}.{}", NV_TENSORRT_MAJOR,
                                      NV_TENSORRT_MINOR)));
  }
}

}  // namespace
}  // namespace tessera::engine
