#include "tessera/triton/copies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace tessera::triton {
namespace {

// Copies on a GPU that is not there.
class SlowMover final : public engine::Mover {
 public:
  struct Told {
    int waits = 0;
    int unfinished_waits = 0;  // so many end without the copies
    bool refuses_copies = false;
    Deadline last = Deadline::Never();
  };
  explicit SlowMover(Told& told) : told_(told) {}

  DeviceId device() const override { return DeviceId{0}; }
  Result<Region> Reserve(size_t, size_t) override { return Fail(Code::kUnavailable, "no memory"); }
  Result<void> Copy(const ConstRegion&, const Region&) override {
    if (told_.refuses_copies) return Fail(Code::kInternal, "a copy was refused");
    return {};
  }
  Result<void> Wait(Deadline deadline) override {
    told_.last = deadline;
    if (told_.waits++ < told_.unfinished_waits) return Fail(Code::kDeadline, "still copying");
    return {};
  }

 private:
  Told& told_;
};

class CopiesTest : public ::testing::Test {
 protected:
  Result<void> CopyToDevice() {
    const ConstRegion from = HostRegion(Bytes(bytes_));
    return copies_.Copy(from, DeviceRegion(MutableBytes(bytes_), DeviceId{0}));
  }

  std::array<std::byte, 8> bytes_{};
  SlowMover::Told told_;
  Copies copies_{std::make_unique<SlowMover>(told_)};
};

TEST_F(CopiesTest, AreWaitedForWhenAllWereIssued) {
  ASSERT_TRUE(CopyToDevice());
  EXPECT_TRUE(copies_.Finish({}, Deadline::Never()));
  EXPECT_EQ(told_.waits, 1);
  EXPECT_TRUE(copies_.Finish({}, Deadline::Never()));
  EXPECT_EQ(told_.waits, 1) << "nothing was copied since";
}

// The request that they read is answered and freed next.
TEST_F(CopiesTest, AreWaitedForWhenALaterOneCannotBeIssued) {
  ASSERT_TRUE(CopyToDevice());
  const Result<void> done = copies_.Finish(Fail(Code::kUnavailable, "no memory"), Deadline::Never());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "no memory");
  EXPECT_EQ(told_.waits, 1);
}

TEST_F(CopiesTest, AreWaitedForBeyondTheDeadlineThatTheyMissed) {
  ASSERT_TRUE(CopyToDevice());
  told_.unfinished_waits = 1;
  const Result<void> done = copies_.Finish({}, Deadline::In(std::chrono::seconds(0)));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::kDeadline);
  EXPECT_EQ(told_.waits, 2);
  EXPECT_FALSE(told_.last.never());
}

TEST_F(CopiesTest, ThatWereRefusedAreWaitedForAsWell) {
  told_.refuses_copies = true;
  const Result<void> done = copies_.Finish(CopyToDevice(), Deadline::Never());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "a copy was refused");
  EXPECT_EQ(told_.waits, 1) << "what was issued before it may still run";
}

TEST_F(CopiesTest, BetweenHostRegionsNeedNoMover) {
  Copies copies(nullptr);
  std::array<std::byte, 8> to{};
  bytes_[3] = std::byte{7};
  const ConstRegion from{bytes_.data(), 1, 8, 8};
  ASSERT_TRUE(copies.Copy(from, {to.data(), 1, 8, 8}));
  ASSERT_TRUE(copies.Finish({}, Deadline::Never()));
  EXPECT_EQ(to[3], std::byte{7});
}

}  // namespace
}  // namespace tessera::triton
