#include "tessera/comm/testing/faulty_communicator.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "tessera/comm/inproc/inproc_group.h"

namespace tessera::comm::testing {
namespace {

using namespace std::chrono_literals;

class FaultyCommunicatorTest : public ::testing::Test {
 protected:
  FaultyCommunicatorTest() : ends_(WithFaults(*CreateInprocGroup(2), plan_)) {}

  // One rank's next call.
  Result<void> Call(int rank, Deadline deadline = Deadline::In(20s)) {
    std::array<std::byte, 8> buffer{};
    return ends_[static_cast<size_t>(rank)]->Run({CollectiveOp::kAllReduce, ReduceOp::kSum}, buffer, buffer,
                                                 deadline);
  }

  std::shared_ptr<FaultPlan> plan_ = std::make_shared<FaultPlan>();
  std::vector<std::unique_ptr<Communicator>> ends_;
};

TEST_F(FaultyCommunicatorTest, PassesCallsOnWithoutAFault) {
  std::thread peer([&] { EXPECT_TRUE(Call(1)); });
  EXPECT_TRUE(Call(0));
  peer.join();
  EXPECT_EQ(plan_->calls(Rank{0}), 1U);
  EXPECT_EQ(ends_[1]->rank(), Rank{1});
  EXPECT_EQ(ends_[1]->world_size(), 2);
}

TEST_F(FaultyCommunicatorTest, FailsTheCallOfChoiceOnly) {
  plan_->FailAt(Rank{0}, 2, {Code::kInternal, "broken by the test"});
  std::thread peer([&] { EXPECT_TRUE(Call(1)); });
  EXPECT_TRUE(Call(0));
  peer.join();
  EXPECT_EQ(Call(0).error().message, "broken by the test");
}

TEST_F(FaultyCommunicatorTest, HangsUntilItsDeadline) {
  plan_->HangAt(Rank{0}, 1);
  EXPECT_EQ(Call(0, Deadline::In(1ms)).error().code, Code::kDeadline);
}

TEST_F(FaultyCommunicatorTest, HangsUntilAnyEndIsAborted) {
  plan_->HangAt(Rank{0}, 1);
  std::thread hung([&] { EXPECT_EQ(Call(0, Deadline::Never()).error().message, "enough"); });
  ends_[1]->Abort({Code::kCancelled, "enough"});
  hung.join();
}

TEST_F(FaultyCommunicatorTest, GoesOnOnceReleased) {
  plan_->HangAt(Rank{0}, 1);
  std::thread hung([&] { EXPECT_TRUE(Call(0)); });
  std::thread peer([&] { EXPECT_TRUE(Call(1)); });
  plan_->Release();
  hung.join();
  peer.join();
}

}  // namespace
}  // namespace tessera::comm::testing
