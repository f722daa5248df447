#include "tessera/base/aside.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <new>
#include <stdexcept>
#include <thread>

#include "tessera/base/unfinished.h"

namespace tessera {
namespace {

TEST(RunAside, ReturnsWhatTheWorkDoes) {
  EXPECT_TRUE(RunAside(
      "aside", [] { return Result<void>(); }, Deadline::Never()));
  const auto failed = RunAside(
      "aside", []() -> Result<void> { return Fail(Code::kInternal, "no"); }, Deadline::Never());
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "no");
}

TEST(RunAside, AnExceptionOfTheWorkIsItsError) {
  const auto none_free = RunAside(
      "aside", []() -> Result<void> { throw std::bad_alloc(); }, Deadline::Never());
  ASSERT_FALSE(none_free);
  EXPECT_EQ(none_free.error().code, Code::kUnavailable);
  const auto thrown = RunAside(
      "aside", []() -> Result<void> { throw std::runtime_error("why"); }, Deadline::Never());
  ASSERT_FALSE(thrown);
  EXPECT_EQ(thrown.error().message, "why");
}

TEST(RunAside, WorkThatEndsLeavesNothing) {
  auto kept = std::make_shared<int>(1);
  bool late = false;
  ASSERT_TRUE(RunAside(
      "aside", [kept] { return Result<void>(); }, Deadline::In(std::chrono::hours(1)),
      [&late] { late = true; }));
  EXPECT_EQ(kept.use_count(), 1);
  EXPECT_FALSE(late);
}

TEST(RunAside, WorkThatHangsIsLeftToItselfWithWhatItKeeps) {
  auto kept = std::make_shared<std::promise<void>>();
  const std::weak_ptr<std::promise<void>> watched = kept;
  std::promise<void> late;
  const auto left = RunAside(
      "aside",
      [kept]() -> Result<void> {
        kept->get_future().wait();
        return {};
      },
      Deadline::In(std::chrono::milliseconds(10)), [&late] { late.set_value(); });
  ASSERT_FALSE(left);
  EXPECT_EQ(left.error().code, Code::kDeadline);
  EXPECT_GE(Unfinished::count(), 1);
  std::promise<void>& lets_go = *kept;
  kept.reset();
  EXPECT_FALSE(watched.expired());
  lets_go.set_value();
  late.get_future().wait();
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace tessera
