#include "tessera/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace tessera {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::internal::CaptureStderr;
using ::testing::internal::GetCapturedStderr;

class LogTest : public ::testing::Test {
 protected:
  void TearDown() override {
    SetLogSink({});
    SetLogLevel(LogLevel::kInfo);
  }
};

TEST_F(LogTest, GoesToStderrByDefault) {
  CaptureStderr();
  SetLogSink({});
  TESSERA_LOG(kWarning, "model '{}' has {} ranks", "bert", 2);
  EXPECT_THAT(GetCapturedStderr(), HasSubstr("model 'bert' has 2 ranks\n"));
}

TEST_F(LogTest, TextWithBracesIsNotAFormat) {
  CaptureStderr();
  SetLogSink({});
  TESSERA_LOG(kError, "{}", "plan {\"ranks\": {}}");
  EXPECT_THAT(GetCapturedStderr(), HasSubstr("plan {\"ranks\": {}}"));
}

TEST_F(LogTest, GivesTheSinkLevelPlaceAndMessage) {
  struct {
    LogLevel level = LogLevel::kDebug;
    std::string file, message;
    int line = 0;
  } seen;
  SetLogSink([&](LogLevel level, const char* file, int line, std::string_view message) {
    seen = {level, file, std::string(message), line};
  });
  TESSERA_LOG(kError, "rank {} lost", 3);
  const int line = __LINE__ - 1;
  EXPECT_EQ(seen.level, LogLevel::kError);
  EXPECT_THAT(seen.file, EndsWith("log_test.cc"));
  EXPECT_EQ(seen.line, line);
  EXPECT_EQ(seen.message, "rank 3 lost");
}

TEST_F(LogTest, DoesNotEvaluateWhatIsBelowTheLevel) {
  int evaluated = 0;
  SetLogLevel(LogLevel::kWarning);
  TESSERA_LOG(kInfo, "{}", ++evaluated);
  EXPECT_EQ(evaluated, 0);
  EXPECT_FALSE(LogEnabled(LogLevel::kInfo));
  EXPECT_TRUE(LogEnabled(LogLevel::kWarning));
}

TEST_F(LogTest, ASinkMayLog) {
  int calls = 0;
  SetLogSink([&](LogLevel, const char*, int, std::string_view) {
    if (++calls == 1) TESSERA_LOG(kInfo, "from the sink");
  });
  TESSERA_LOG(kInfo, "outside");
  EXPECT_EQ(calls, 2);
}

TEST_F(LogTest, LosesNoMessageWhileTheSinkIsReplaced) {
  constexpr int kThreads = 4, kMessages = 500;
  std::atomic<int> count{0};
  auto counting = [&](LogLevel, const char*, int, std::string_view) { count.fetch_add(1); };
  SetLogSink(counting);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < kMessages; ++i) TESSERA_LOG(kInfo, "message {}", i);
    });
  }
  for (int i = 0; i < 100; ++i) SetLogSink(counting);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, kThreads * kMessages);
}

}  // namespace
}  // namespace tessera
