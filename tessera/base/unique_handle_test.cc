#include "tessera/base/unique_handle.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <vector>

namespace tessera {
namespace {

struct Recorder {
  using Handle = int;
  static constexpr Handle kNone = 0;
  static void Close(Handle handle) noexcept { closed.push_back(handle); }
  static inline std::vector<int> closed;
};
using Recorded = UniqueHandle<Recorder>;

class UniqueHandleTest : public testing::Test {
 protected:
  void SetUp() override { Recorder::closed.clear(); }
};

TEST_F(UniqueHandleTest, ClosesOnceAtTheEndOfItsLife) {
  { Recorded handle(7); }
  EXPECT_EQ(Recorder::closed, std::vector<int>{7});
}

TEST_F(UniqueHandleTest, ClosesNothingWhenItOwnsNothing) {
  {
    Recorded empty;
    EXPECT_FALSE(empty);
  }
  EXPECT_TRUE(Recorder::closed.empty());
}

TEST_F(UniqueHandleTest, MovesTheOwnership) {
  {
    Recorded a(1);
    Recorded b(std::move(a));
    EXPECT_FALSE(a);  // NOLINT(bugprone-use-after-move): that it owns nothing is the contract
    Recorded c(2);
    c = std::move(b);
    EXPECT_EQ(c.get(), 1);
    EXPECT_EQ(Recorder::closed, std::vector<int>{2});
  }
  EXPECT_EQ(Recorder::closed, (std::vector<int>{2, 1}));
  static_assert(!std::is_copy_constructible_v<Recorded>);
}

TEST_F(UniqueHandleTest, KeepsItsHandleWhenMovedToItself) {
  Recorded a(3);
  Recorded& same = a;
  a = std::move(same);
  EXPECT_EQ(a.get(), 3);
}

TEST_F(UniqueHandleTest, ReleaseGivesTheHandleAway) {
  {
    Recorded a(4);
    EXPECT_EQ(a.Release(), 4);
  }
  EXPECT_TRUE(Recorder::closed.empty());
}

TEST_F(UniqueHandleTest, ResetClosesTheOldOne) {
  Recorded a(5);
  a.Reset(6);
  EXPECT_EQ(Recorder::closed, std::vector<int>{5});
  EXPECT_EQ(a.get(), 6);
}

}  // namespace
}  // namespace tessera
