// A step that fails or hangs on real GPUs ends in bounded time on every rank, and says why.
#include <cuda_runtime_api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "tessera/comm/nccl/pool.h"
#include "tessera/cuda/memory.h"
#include "tessera/engine/tensorrt/device_order.h"
#include "tests/gpu/mlp_groups.h"
#include "tests/gpu/steps.h"

namespace tessera::gputest {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What the first request that fails says; a fault comes within a few.
std::optional<Error> FirstError(engine::RankGroup& group, const Mlp& mlp, Deadline::Clock::duration limit) {
  for (int i = 0; i < 8; ++i) {
    if (auto answer = Ask(group, mlp, 16, 3, Deadline::In(limit)); !answer) return answer.error();
  }
  return std::nullopt;
}

TEST_F(EngineGpu, ARankThatFailsToEnqueueEndsTheStepOnEveryRank) {
  const Mlp mlp;
  auto group = groups_.Loaded(mlp, GpusAt({0, 1}));
  ASSERT_TRUE(group);
  const Fault fault("fail:rank=1:call=2");  // 0: warm-up, 1: its capture
  const auto start = Deadline::Clock::now();
  const auto failed = Ask(*group, mlp, 5, 3);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().rank, 1);
  EXPECT_THAT(failed.error().message, ::testing::HasSubstr("fault: enqueue 2 of rank 1"));
  EXPECT_LT(Deadline::Clock::now() - start, seconds(10));
  EXPECT_FALSE(group->usable());
}

// Nothing is computed from what lay there before. CUDA copies no rows that begin within each other.
TEST_F(EngineGpu, AnInputThatCannotBeCopiedFailsTheStepAndAnswersNothing) {
  const Mlp mlp;
  auto group = groups_.Loaded(mlp, GpusAt({0, 1}));
  ASSERT_TRUE(group && Ask(*group, mlp, 16, 3));
  const auto x = cuda::DeviceBuffer::Create(GpusAt({0}).front(), static_cast<size_t>(16 * mlp.k) * 2);
  ASSERT_TRUE(x);
  const size_t row = static_cast<size_t>(mlp.k) * 2;
  const ConstRegion overlapping{x->data(), 16, row, row / 2, MemoryKind::kDevice, x->device()};
  const std::vector<uint16_t> untouched(static_cast<size_t>(16 * mlp.n), 0x1234);
  std::vector<uint16_t> y = untouched;
  Taker taker;
  taker.TakeTo(Rank(0), 0, HostRegion(std::as_writable_bytes(std::span(y))));
  const auto failed = group->Run(Common({{DType::kFloat16, {16, mlp.k}, overlapping}}, 2, taker, Soon()));
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, ::testing::HasSubstr("cudaMemcpy"));
  EXPECT_EQ(y, untouched);
  group = groups_.Loaded(mlp, GpusAt({0, 1}));
  EXPECT_TRUE(group && Ask(*group, mlp, 16, 3));
}

TEST_F(EngineGpu, ARankThatSkipsItsCollectiveIsToldByTheDeadline) {
  const Mlp mlp;
  auto group = groups_.Loaded(mlp, GpusAt({0, 1}));
  ASSERT_TRUE(group);
  const Fault fault("skip:rank=0:call=2");
  const auto failed = Ask(*group, mlp, 5, 3, Deadline::In(milliseconds(300)));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kDeadline);
  EXPECT_FALSE(group->usable());
}

// As TensorRT's may be: the children must give up with their parent, or the peer's kernel waits for ever.
TEST_F(EngineGpu, ChildrenOfACommunicatorAnswerAndEndWithIt) {
  const Mlp mlp;
  const ChildCommunicators children;
  auto alone = groups_.Loaded(mlp, GpusAt({0}));
  auto group = groups_.Loaded(mlp, GpusAt({0, 1}));
  ASSERT_TRUE(alone && group);
  for (const int64_t m : {1, 16, 3, 16, 3}) {
    const auto got = Ask(*group, mlp, m, 7);
    ASSERT_TRUE(got) << got.error().ToString();
    EXPECT_LE(RelativeError(*got, *Ask(*alone, mlp, m, 7)), 2e-3);
  }
  const auto start = Deadline::Clock::now();
  {
    const Fault fault("skip:rank=0:call=-1");
    const auto failed = Ask(*group, mlp, 5, 3, Deadline::In(milliseconds(300)));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Code::kDeadline);
  }
  EXPECT_FALSE(group->usable());
  group.reset();
  EXPECT_LT(Deadline::Clock::now() - start, seconds(4)) << "nobody waited until a GPU was given up";
  for (const DeviceId device : GpusAt({0, 1})) {
    ASSERT_EQ(cudaSetDevice(device.value()), cudaSuccess);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  }
  group = groups_.Loaded(mlp, GpusAt({0, 1}));
  EXPECT_TRUE(group && Ask(*group, mlp, 16, 3));
}

TEST_F(EngineGpu, ARankThatRefusesTheCommunicatorEndsTheOthersWhoMakeChildren) {
  const ChildCommunicators children;
  const Fault fault("communicator:rank=1");
  const auto start = Deadline::Clock::now();
  const auto loaded = groups_.Load(Mlp(), GpusAt({0, 1}));
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().rank, 1);
  EXPECT_LT(Deadline::Clock::now() - start, seconds(30));
}

TEST_F(EngineGpu, ARankThatStallsInAGraphIsToldByTheDeadlineAndANewGroupWorks) {
  const Mlp mlp;
  {
    const Fault fault("stall:rank=1:call=3");
    auto group = groups_.Loaded(mlp, GpusAt({0, 1}));
    ASSERT_TRUE(group);
    const auto start = Deadline::Clock::now();
    const std::optional<Error> error = FirstError(*group, mlp, milliseconds(500));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, Code::kDeadline);
    EXPECT_LT(Deadline::Clock::now() - start, seconds(10));
  }
  auto group = groups_.Loaded(mlp, GpusAt({0, 1}));
  ASSERT_TRUE(group);
  EXPECT_TRUE(Ask(*group, mlp, 16, 3));
}

// Freeing what the GPU works with would wait for it: it is left behind.
void GoesWhileItsStepHangs(MlpGroups& groups, const engine::TensorRtOptions& options) {
  const Mlp mlp;
  const Fault fault("stall:rank=1:call=3:seconds=35");
  auto group = groups.Loaded(mlp, GpusAt({0, 1}), options);
  ASSERT_TRUE(group);
  const auto start = Deadline::Clock::now();
  ASSERT_TRUE(FirstError(*group, mlp, milliseconds(500)));
  group.reset();
  EXPECT_LT(Deadline::Clock::now() - start, seconds(25));
  for (const DeviceId device : GpusAt({0, 1})) {  // the next test finds them free
    ASSERT_EQ(cudaSetDevice(device.value()), cudaSuccess);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  }
}

TEST_F(EngineGpu, AGroupWhoseStepHangsGoesInBoundedTime) {
  engine::TensorRtOptions options;
  options.spare_connections = false;
  GoesWhileItsStepHangs(groups_, options);
}

// The spare's first collectives keep other models off the GPUs, and do not get on while one of these hangs.
TEST_F(EngineGpu, AGroupWhoseStepHangsDoesNotWaitForASpareBesideIt) {
  comm::NcclPool::OfProcess().Clear();  // so that one is made
  GoesWhileItsStepHangs(groups_, {});
}

// As by another model's thread that hangs in a driver's call.
TEST_F(EngineGpu, AStepThatIsKeptFromAGpuFailsAndItsRanksStayUsable) {
  const Mlp mlp;
  auto group = groups_.Loaded(mlp, GpusAt({0, 1}));
  ASSERT_TRUE(group);
  ASSERT_TRUE(Ask(*group, mlp, 16, 3));
  {
    const auto turn = engine::DeviceOrder::OfProcess().Hold(GpusAt({1}), Soon());
    ASSERT_TRUE(turn);
    for (const int64_t rows : {16, 5}) {  // a shape that is known, and a new one
      std::thread([&] {
        const auto start = Deadline::Clock::now();
        EXPECT_FALSE(Ask(*group, mlp, rows, 3, Deadline::In(milliseconds(300))));
        EXPECT_LT(Deadline::Clock::now() - start, seconds(10));
      }).join();
    }
    EXPECT_TRUE(group->usable());
  }
  EXPECT_TRUE(Ask(*group, mlp, 16, 3));
  EXPECT_TRUE(Ask(*group, mlp, 5, 3));
}

TEST_F(EngineGpu, AnAbortEndsAStepInFlight) {
  const Mlp mlp;
  const Fault fault("stall:rank=1:call=2");
  auto group = groups_.Loaded(mlp, GpusAt({0, 1}));
  ASSERT_TRUE(group);
  std::thread aborter([&] { group->Abort(Error{Code::kCancelled, "enough", -1, __FILE__, __LINE__}); });
  const std::optional<Error> error = FirstError(*group, mlp, seconds(60));
  aborter.join();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->message, "enough");
}

TEST_F(EngineGpu, AnEngineThatRefusesTheCommunicatorFailsTheLoad) {
  const Fault fault("communicator:rank=1");
  const auto start = Deadline::Clock::now();
  const auto loaded = groups_.Load(Mlp(), GpusAt({0, 1}));
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, ::testing::HasSubstr("not a multi-device engine"));
  EXPECT_EQ(loaded.error().rank, 1);
  EXPECT_LT(Deadline::Clock::now() - start, seconds(30));
}

}  // namespace
}  // namespace tessera::gputest
