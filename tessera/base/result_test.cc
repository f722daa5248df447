#include "tessera/base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string_view>

namespace tessera {
namespace {

Result<int> Half(int number) {
  if (number % 2 != 0) return Fail(Code::kInvalidArgument, "{} is odd, want an even number", number);
  return number / 2;
}

Result<std::string> QuarterAsText(int number) {
  TRY_ASSIGN(int half, Half(number));
  TRY_ASSIGN(const int quarter, Half(half));
  return std::to_string(quarter);
}

Result<void> CheckEven(int number) {
  TRY(Half(number));
  return {};
}

TEST(Result, HoldsTheValueOfACallThatWorked) {
  EXPECT_EQ(*QuarterAsText(12), "3");
}

TEST(Result, TryAssignPassesTheErrorOnAsAnotherType) {
  Result<std::string> failed = QuarterAsText(6);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kInvalidArgument);
  EXPECT_EQ(failed.error().message, "3 is odd, want an even number");
}

TEST(Result, TryPassesTheErrorOn) {
  EXPECT_TRUE(CheckEven(2));
  EXPECT_EQ(CheckEven(1).error().code, Code::kInvalidArgument);
}

TEST(Result, TryAssignMovesAValueThatCannotBeCopied) {
  auto run = []() -> Result<int> {
    TRY_ASSIGN(std::unique_ptr<int> number, Result<std::unique_ptr<int>>(std::make_unique<int>(7)));
    return *number;
  };
  EXPECT_EQ(*run(), 7);
}

TEST(Result, TryEvaluatesItsExpressionOnce) {
  int calls = 0;
  auto run = [&]() -> Result<void> {
    TRY([&]() -> Result<void> {
      ++calls;
      return {};
    }());
    return {};
  };
  EXPECT_TRUE(run());
  EXPECT_EQ(calls, 1);
}

TEST(Fail, KnowsWhereItWasCalled) {
  Result<int> failed = Half(1);
  EXPECT_TRUE(std::string_view(failed.error().file).ends_with("result_test.cc"));
  EXPECT_EQ(failed.error().line, 12);
}

TEST(Error, NamesTheRankOnce) {
  Error error{Code::kPeerLost, "left the group", 2};
  EXPECT_EQ(error.ToString(), "rank 2: left the group");
  error.message = "rank 2: left the group";
  EXPECT_EQ(error.ToString(), "rank 2: left the group");
  error.rank = -1;
  error.message = "left";
  EXPECT_EQ(error.ToString(), "left");
}

TEST(Code, EveryOneHasAName) {
  EXPECT_STREQ(CodeName(Code::kUnknown), "unknown");
  for (Code code :
       {Code::kInternal, Code::kNotFound, Code::kInvalidArgument, Code::kUnavailable, Code::kUnsupported,
        Code::kAlreadyExists, Code::kCancelled, Code::kDeadline, Code::kPeerLost}) {
    EXPECT_STRNE(CodeName(code), "unknown");
  }
}

}  // namespace
}  // namespace tessera
