#include "tessera/shard/trace.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tessera/base/testing/temporary_directory.h"

namespace tessera::shard {
namespace {

TEST(Trace, ComesBackAsItWasWritten) {
  const tessera::testing::TemporaryDirectory directory;
  const std::vector<TracedValue> trace{{"x.split", "x", State::Split(1)},
                                       {"q", "q", State::Split(2, Cut::Of({{8, 1}, {4, 2}}, 16))},
                                       {"y.partial", "y", State::Partial(ReduceOp::kSum)},
                                       {"y", "y", State::Replicated()}};
  ASSERT_TRUE(WriteTrace(trace, directory.path()));
  const auto read = ReadTrace(directory.path());
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), trace.size());
  for (size_t i = 0; i < trace.size(); ++i) {
    EXPECT_EQ((*read)[i].value, trace[i].value);
    EXPECT_EQ((*read)[i].of, trace[i].of);
    EXPECT_EQ((*read)[i].state, trace[i].state);
  }
}

TEST(Trace, ThatIsMissingIsSaidToBe) {
  const tessera::testing::TemporaryDirectory directory;
  const auto read = ReadTrace(directory.path());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kNotFound);
}

TEST(Trace, OfAnotherFormIsRefused) {
  for (const char* text : {"", "{", "[1]", R"([["a", "b", ["P", "half"]]])", R"([["a", "b", ["S"]]])"}) {
    const tessera::testing::TemporaryDirectory directory;
    std::ofstream(directory.path() / kTraceFile) << text;
    const auto read = ReadTrace(directory.path());
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Code::kInvalidArgument);
  }
}

}  // namespace
}  // namespace tessera::shard
