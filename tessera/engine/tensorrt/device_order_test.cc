// What of the order needs no GPU.
#include "tessera/engine/tensorrt/device_order.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace tessera::engine {
namespace {

Deadline Now() {
  return Deadline::In(std::chrono::seconds(0));
}

// In a thread of its own: a lock is its thread's.
bool IsQuiet(DeviceOrder& order) {
  return std::async(std::launch::async, [&] { return order.Quiet(Now()).has_value(); }).get();
}

TEST(DeviceOrder, IsNotQuietWhileAStepIsIssuedOnAnyGpu) {
  DeviceOrder order;
  EXPECT_TRUE(IsQuiet(order));
  {
    const auto first = order.Hold({DeviceId{3}, DeviceId{1}, DeviceId{3}}, Now());
    ASSERT_TRUE(first);
    EXPECT_FALSE(IsQuiet(order));
    const auto second = order.Hold({DeviceId{0}}, Now());
    ASSERT_TRUE(second) << "models without a common GPU do not wait for each other";
    EXPECT_FALSE(IsQuiet(order));
  }
  EXPECT_TRUE(IsQuiet(order));
}

TEST(DeviceOrder, LetsNoStepBeIssuedWhileItIsQuiet) {
  DeviceOrder order;
  std::promise<void> issued;
  std::future<void> done = issued.get_future();
  std::thread step;
  {
    const auto quiet = order.Quiet();
    ASSERT_TRUE(quiet);
    step = std::thread([&] {
      EXPECT_TRUE(order.Hold({DeviceId{0}}, Deadline::Never()));
      issued.set_value();
    });
    EXPECT_EQ(done.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  }
  done.wait();
  step.join();
}

// As a thread does that hangs in a driver's call.
TEST(DeviceOrder, NobodyWaitsWithoutALimitForATurnThatIsKept) {
  DeviceOrder order;
  const auto kept = order.Hold({DeviceId{0}, DeviceId{1}}, Now());
  ASSERT_TRUE(kept);
  std::thread([&order] {
    const auto turn = order.Hold({DeviceId{1}, DeviceId{2}}, Now());
    ASSERT_FALSE(turn);
    EXPECT_EQ(turn.error().code, Code::kUnavailable);
    EXPECT_EQ(turn.error().message, "another model's work is being issued to GPU 1, which does not end");
    EXPECT_TRUE(order.Hold({DeviceId{2}}, Now())) << "it was given back";
    EXPECT_EQ(order.Quiet(Now()).error().code, Code::kDeadline);
    EXPECT_TRUE(order.Leave(&order, Now())) << "no GPU of its own is kept";
  }).join();
}

TEST(DeviceOrder, RefusesAGpuBeyondItsTable) {
  DeviceOrder order;
  const auto turn = order.Hold({DeviceId{64}}, Now());
  ASSERT_FALSE(turn);
  EXPECT_EQ(turn.error().code, Code::kUnsupported);
}

}  // namespace
}  // namespace tessera::engine
