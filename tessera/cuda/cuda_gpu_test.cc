// On a machine with a GPU; skipped without one.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <thread>
#include <vector>

#include "tessera/cuda/copy.h"
#include "tessera/cuda/device.h"
#include "tessera/cuda/event.h"
#include "tessera/cuda/graph.h"
#include "tessera/cuda/memory.h"
#include "tessera/cuda/signal.h"
#include "tessera/cuda/status.h"
#include "tessera/cuda/stream.h"
#include "tessera/cuda/testing/has_context.h"

namespace tessera::cuda {
namespace {

constexpr DeviceId kGpu{0};

Deadline Soon() {
  return Deadline::In(std::chrono::seconds(10));
}

class CudaGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    if (DeviceCount() == 0) GTEST_SKIP() << "no GPU";
  }
};

Region Whole(const DeviceBuffer& buffer) {
  return DeviceRegion(buffer.bytes(), buffer.device());
}

TEST(CudaDevice, AnUnknownDeviceIsNamed) {
  auto info = GetDeviceInfo(DeviceId{4711});
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().code, Code::kUnavailable);
  EXPECT_THAT(info.error().message, ::testing::HasSubstr("GPU 4711"));
}

TEST_F(CudaGpu, ABufferThatWasMovedFromHasNoBytes) {
  DeviceBuffer from = DeviceBuffer::Create(kGpu, 64).value();
  const DeviceBuffer to = std::move(from);
  EXPECT_EQ(to.size(), 64U);
  EXPECT_EQ(from.size(), 0U);  // NOLINT(bugprone-use-after-move): it is told what that is
}

TEST_F(CudaGpu, AnErrorNamesTheFunctionAndCudasText) {
  auto fails = []() -> Result<void> {
    CUDA_TRY(cudaMemcpy(nullptr, nullptr, 1, cudaMemcpyHostToDevice));
    return {};
  };
  auto result = fails();
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, ::testing::StartsWith("cudaMemcpy on "));
  EXPECT_EQ(cudaPeekAtLastError(), cudaSuccess) << "the slot is cleared";
}

TEST_F(CudaGpu, CopiesAStridedSliceThereAndBack) {
  // Columns 2..4 of a [3,8] byte matrix, to a dense device buffer and back to columns 5..7.
  std::vector<std::byte> matrix(24);
  for (size_t i = 0; i < matrix.size(); ++i) matrix[i] = static_cast<std::byte>(i);
  Stream stream = Stream::Create(kGpu).value();
  DeviceBuffer dense = DeviceBuffer::Create(kGpu, 9).value();
  ASSERT_TRUE(CopyAsync(ConstRegion{matrix.data() + 2, 3, 3, 8}, Whole(dense), stream));
  ASSERT_TRUE(CopyAsync(Whole(dense), Region{matrix.data() + 5, 3, 3, 8}, stream));
  ASSERT_TRUE(stream.Drain(Soon()));
  for (size_t row = 0; row < 3; ++row) {
    for (size_t column = 0; column < 3; ++column) {
      EXPECT_EQ(matrix[row * 8 + 5 + column], static_cast<std::byte>(row * 8 + 2 + column));
    }
  }
}

TEST_F(CudaGpu, ReplaysACapturedCopyWithNewContent) {
  Stream stream = Stream::Create(kGpu).value();
  PinnedBuffer from = PinnedBuffer::Create(4).value();
  PinnedBuffer to = PinnedBuffer::Create(4).value();
  DeviceBuffer middle = DeviceBuffer::Create(kGpu, 4).value();
  Graph graph = Graph::Capture(stream, [&]() -> Result<void> {
                  TRY(CopyAsync(PinnedRegion(from.bytes()), Whole(middle), stream));
                  return CopyAsync(Whole(middle), PinnedRegion(to.bytes()), stream);
                }).value();
  for (uint32_t value : {17U, 4711U}) {
    std::memcpy(from.data(), &value, 4);
    ASSERT_TRUE(graph.Launch(stream));
    ASSERT_TRUE(stream.Drain(Soon()));
    EXPECT_EQ(std::memcmp(to.data(), &value, 4), 0);
  }
}

// What NCCL does to a graph: its end frees something.
Result<void> BindTo(cudaStream_t capturing, std::atomic<int>& freed) {
  cudaStreamCaptureStatus status{};
  cudaGraph_t graph = nullptr;
#if CUDART_VERSION >= 13000
  CUDA_TRY(cudaStreamGetCaptureInfo(capturing, &status, nullptr, &graph, nullptr, nullptr, nullptr));
#else
  CUDA_TRY(cudaStreamGetCaptureInfo_v2(capturing, &status, nullptr, &graph));
#endif
  cudaUserObject_t object = nullptr;
  auto free = [](void* count) { static_cast<std::atomic<int>*>(count)->fetch_add(1); };
  CUDA_TRY(cudaUserObjectCreate(&object, &freed, free, 1, cudaUserObjectNoDestructorSync));
  CUDA_TRY(cudaGraphRetainUserObject(graph, object, 1, cudaGraphUserObjectMove));
  return {};
}

void AwaitOne(const std::atomic<int>& freed) {
  const Deadline soon = Soon();
  while (freed == 0 && !soon.passed()) std::this_thread::yield();
}

TEST_F(CudaGpu, ObjectsThatAreKeptApartGoWithTheLastOfTheGraphs) {
  const Stream stream = Stream::Create(kGpu).value();
  const PinnedBuffer from = PinnedBuffer::Create(4).value();
  const PinnedBuffer to = PinnedBuffer::Create(4).value();
  const DeviceBuffer middle = DeviceBuffer::Create(kGpu, 4).value();
  const Event start = Event::Create(kGpu).value();
  const Event other_start = Event::Create(kGpu).value();
  std::atomic<int> freed = 0;
  auto record = [&]() -> Result<void> {
    TRY(BindTo(stream.get(), freed));
    TRY(start.RecordInGraph(stream.get()));
    CUDA_TRY(cudaMemsetAsync(middle.data(), 0, middle.size(), stream.get()));
    TRY(CopyAsync(PinnedRegion(from.bytes()), Whole(middle), stream));
    return CopyAsync(Whole(middle), PinnedRegion(to.bytes()), stream);
  };
  std::optional<Graph> first = Graph::Capture(stream, record, Graph::Objects::kApart).value();
  std::optional<Graph> second = first->With({{&start, &other_start}}, stream).value();
  uint32_t value = 0;
  auto launches = [&](const Graph& graph) {
    std::memcpy(from.data(), &++value, 4);
    EXPECT_TRUE(graph.Launch(stream) && stream.Drain(Soon()));
    EXPECT_EQ(std::memcmp(to.data(), &value, 4), 0);
  };
  for (int i = 0; i < 3; ++i) launches(*first);
  launches(*second);
  first.reset();
  launches(*second);
  // CUDA frees on a thread of its own: what is bound to a later graph has gone, this has not.
  std::atomic<int> later_freed = 0;
  auto bind_later = [&] { return BindTo(stream.get(), later_freed); };
  ASSERT_TRUE(Graph::Capture(stream, bind_later));
  AwaitOne(later_freed);
  EXPECT_EQ(later_freed, 1);
  EXPECT_EQ(freed, 0);
  second.reset();
  AwaitOne(freed);
  EXPECT_EQ(freed, 1);
}

TEST_F(CudaGpu, AFailedCaptureLeavesTheStreamUsable) {
  Stream stream = Stream::Create(kGpu).value();
  auto graph =
      Graph::Capture(stream, []() -> Result<void> { return Fail(Code::kUnsupported, "not capturable"); });
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, Code::kUnsupported);
  EXPECT_TRUE(stream.Drain(Soon()));
}

TEST_F(CudaGpu, SignalsTellTheHostAfterTheWork) {
  Stream stream = Stream::Create(kGpu).value();
  Signals signals = Signals::Create(2).value();
  ASSERT_TRUE(signals.Set(1, 7, stream));
  Deadline deadline = Soon();
  while (signals.Get(1) != 7 && !deadline.passed()) {
  }
  EXPECT_EQ(signals.Get(1), 7U);
  EXPECT_EQ(signals.Get(0), 0U);
}

TEST_F(CudaGpu, EventsOrderStreamsAndMeasureThem) {
  Stream first = Stream::Create(kGpu).value();
  Stream second = Stream::Create(kGpu).value();
  Event start = Event::Create(kGpu, Event::Timing::kOn).value();
  Event end = Event::Create(kGpu, Event::Timing::kOn).value();
  ASSERT_TRUE(start.Record(first.get()));
  ASSERT_TRUE(second.After(start));
  ASSERT_TRUE(end.Record(second.get()));
  ASSERT_TRUE(end.Wait(Soon()));
  EXPECT_GE(Elapsed(start, end).value().count(), 0);
}

TEST_F(CudaGpu, OutOfMemorySaysHowMuchIsFree) {
  auto buffer = DeviceBuffer::Create(kGpu, size_t{1} << 46);
  ASSERT_FALSE(buffer);
  EXPECT_EQ(buffer.error().code, Code::kUnavailable);
  EXPECT_THAT(buffer.error().message, ::testing::HasSubstr("free"));
}

TEST_F(CudaGpu, TheGuardRestoresTheDevice) {
  if (DeviceCount() < 2) GTEST_SKIP() << "one GPU";
  ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
  {
    DeviceGuard guard = DeviceGuard::Enter(DeviceId{1}).value();
    int current = -1;
    ASSERT_EQ(cudaGetDevice(&current), cudaSuccess);
    EXPECT_EQ(current, 1);
  }
  int current = -1;
  ASSERT_EQ(cudaGetDevice(&current), cudaSuccess);
  EXPECT_EQ(current, 0);
}

TEST_F(CudaGpu, TheGuardMakesNoContextOnGpu0) {
  if (DeviceCount() < 2) GTEST_SKIP() << "one GPU";
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // a process that used no GPU yet
  auto enter_1 = [] {
    { const DeviceGuard guard = DeviceGuard::Enter(DeviceId{1}).value(); }
    fmt::print(stderr, "contexts: {} {}", HasContext(DeviceId{0}), HasContext(DeviceId{1}));
    std::_Exit(0);
  };
  EXPECT_EXIT(enter_1(), ::testing::ExitedWithCode(0), "contexts: false true");
}

}  // namespace
}  // namespace tessera::cuda
