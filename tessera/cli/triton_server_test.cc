#include "tessera/cli/triton_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tessera::cli {
namespace {

using ::testing::Contains;

TEST(ServerCommand, ListensOnTheLoopbackAndToleratesABadModel) {
  ServerOptions options{.program = "/t", .backends = "/b", .repository = "/r", .extra = {"--log-verbose=1"}};
  const auto command = ServerCommand(options);
  EXPECT_EQ(command.front(), "/t");
  EXPECT_EQ(command.back(), "--log-verbose=1");
  for (const char* argument :
       {"--http-address=127.0.0.1", "--grpc-address=127.0.0.1", "--metrics-address=127.0.0.1",
        "--http-port=8000", "--exit-on-error=false", "--strict-readiness=false"}) {
    EXPECT_THAT(command, Contains(argument));
  }
}

TEST(ParseIndex, ReadsStatesAndReasons) {
  auto models = ParseIndex(R"([{"name":"a","version":"1","state":"READY"},
                               {"name":"b","version":"1","state":"UNAVAILABLE","reason":"no rank 1"},{"name":"c"}])");
  ASSERT_TRUE(models);
  ASSERT_EQ(models->size(), 3U);
  EXPECT_EQ(models->at(0).state, "READY");
  EXPECT_EQ(models->at(1).reason, "no rank 1");
  EXPECT_EQ(models->at(2).state, "");
}

TEST(ParseIndex, RefusesOtherAnswers) {
  for (const char* body : {"", "{}", "[1]", "[{}]", "<html>"}) EXPECT_FALSE(ParseIndex(body)) << body;
}

}  // namespace
}  // namespace tessera::cli
