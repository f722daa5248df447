// The TensorRT engine on real GPUs, with the stand-in for libnvinfer.
#include <cuda_runtime_api.h>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <future>
#include <thread>

#include "tessera/comm/nccl/pool.h"
#include "tessera/cuda/testing/has_context.h"
#include "tests/gpu/gpus.h"
#include "tests/gpu/mlp_groups.h"
#include "tests/gpu/steps.h"

namespace tessera::gputest {
namespace {

using std::chrono::seconds;

TEST_F(EngineGpu, RanksAnswerAsOneGpuDoes) {
  const Mlp mlp;
  auto one = groups_.Loaded(mlp, GpusAt({0}));
  auto two = groups_.Loaded(mlp, GpusAt({0, 1}));
  ASSERT_TRUE(one && two);
  for (const int64_t m : {1, 3, 16, 64, 3, 16}) {
    const auto wanted = Ask(*one, mlp, m, 7);
    const auto got = Ask(*two, mlp, m, 7);
    ASSERT_TRUE(wanted && got) << (got ? wanted : got).error().ToString();
    EXPECT_LE(RelativeError(*got, *wanted), 2e-3) << "m = " << m;
  }
}

TEST_F(EngineGpu, TheFirstListedGpuNeedNotBeZero) {
  const Mlp mlp;
  auto group = groups_.Loaded(mlp, GpusAt({1, 0}));
  auto alone = groups_.Loaded(mlp, GpusAt({1}));
  ASSERT_TRUE(group && alone);
  EXPECT_LE(RelativeError(*Ask(*group, mlp, 5, 3), *Ask(*alone, mlp, 5, 3)), 2e-3);
}

TEST_F(EngineGpu, GpusThatAreNotListedAreLeftAlone) {
  if (GpusAt({0}) == GpusAt({1})) GTEST_SKIP() << "needs a GPU that is not listed";
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // a process that used no GPU yet
  auto contexts = [] {
    return fmt::format("{} {}", cuda::HasContext(GpusAt({0})[0]), cuda::HasContext(GpusAt({1})[0]));
  };
  auto serve_on_1 = [&] {
    const Mlp mlp;
    auto group = groups_.Loaded(mlp, GpusAt({1}));
    fmt::print(stderr, "loaded: {}, ", contexts());
    fmt::print(stderr, "answers: {}, ", Ask(*group, mlp, 5, 3) && Ask(*group, mlp, 5, 3));
    fmt::print(stderr, "then: {}, ", contexts());
    engine::TensorRtOptions on_1;
    on_1.devices = GpusAt({1});
    auto mover = engine::MakeTensorRtEngine(on_1)->MakeMover().value();
    std::thread([&] { group.reset(); }).join();  // one that has used no GPU, as a server's may be
    std::thread([&] { mover.reset(); }).join();
    fmt::print(stderr, "at the end: {}", contexts());
    std::_Exit(0);
  };
  EXPECT_EXIT(serve_on_1(), ::testing::ExitedWithCode(0),
              "loaded: false true, answers: true, then: false true, at the end: false true");
}

TEST_F(EngineGpu, EveryRankHasTheSameReplicatedOutput) {
  const Mlp mlp;
  auto group = groups_.Loaded(mlp, GpusAt({0, 1}));
  ASSERT_TRUE(group);
  const std::vector<uint16_t> x = RandomHalves(static_cast<size_t>(4 * mlp.k), 5, 1);
  Taker taker;
  taker.TakeAll();
  ASSERT_TRUE(group->Run(
      Common({{DType::kFloat16, {4, mlp.k}, HostRegion(std::as_bytes(std::span(x)))}}, 2, taker, Soon())));
  EXPECT_EQ(taker.Values<uint16_t>(0, 0), taker.Values<uint16_t>(1, 0));
}

TEST_F(EngineGpu, WithoutCudaGraphsTheAnswersAreTheSame) {
  const Mlp mlp;
  engine::TensorRtOptions eager;
  eager.cuda_graphs = false;
  auto captured = groups_.Loaded(mlp, GpusAt({0, 1}));
  auto issued = groups_.Loaded(mlp, GpusAt({0, 1}), eager);
  ASSERT_TRUE(captured && issued);
  for (const int64_t m : {2, 9, 2}) EXPECT_EQ(*Ask(*captured, mlp, m, 11), *Ask(*issued, mlp, m, 11));
}

// Weights that are large enough for several threads with several pieces each.
TEST_F(EngineGpu, APlanThatIsReadAnswersAsAMappedOneDoes) {
  const Mlp mlp{4096, 8192, 4096};
  engine::TensorRtOptions map;
  map.map_plans = true;
  auto mapped = groups_.Loaded(mlp, GpusAt({0, 1}), map);
  auto read = groups_.Loaded(mlp, GpusAt({0, 1}));
  ASSERT_TRUE(mapped && read);
  EXPECT_EQ(*Ask(*mapped, mlp, 9, 11), *Ask(*read, mlp, 9, 11));
}

TEST_F(EngineGpu, HelpersThatLaunchChangeNoAnswer) {
  const Mlp mlp;
  engine::TensorRtOptions alone;
  alone.launch_helpers = 0;
  engine::TensorRtOptions helped;
  helped.launch_helpers = 1;
  auto by_caller = groups_.Loaded(mlp, GpusAt({0, 1}), alone);
  auto with_helper = groups_.Loaded(mlp, GpusAt({0, 1}), helped);
  ASSERT_TRUE(by_caller && with_helper);
  for (const unsigned seed : {11U, 12U}) {
    const auto wanted = Ask(*by_caller, mlp, 9, seed);
    ASSERT_TRUE(wanted);
    for (int i = 0; i < 500; ++i) {  // steps that follow each other wake it
      const auto got = Ask(*with_helper, mlp, 9, seed);
      ASSERT_TRUE(got) << got.error().ToString();
      ASSERT_EQ(*got, *wanted);
    }
  }
}

TEST_F(EngineGpu, ALargeCommonInputArrivesWholeOnEveryRank) {
  Mlp mlp;
  mlp.k = 4097;  // 4097 columns of 2 bytes: no slice ends where a row does
  mlp.most_m = 512;
  engine::TensorRtOptions gathers;
  gathers.replication = engine::ReplicationWay::kGather;
  gathers.gather_from = 1;
  engine::TensorRtOptions copies;
  copies.replication = engine::ReplicationWay::kCopies;
  auto gathered = groups_.Loaded(mlp, GpusAt({0, 1}), gathers);
  auto copied = groups_.Loaded(mlp, GpusAt({0, 1}), copies);
  ASSERT_TRUE(gathered && copied);
  for (const int64_t m : {1, 257, 512}) EXPECT_EQ(*Ask(*gathered, mlp, m, 13), *Ask(*copied, mlp, m, 13));
}

TEST_F(EngineGpu, AShapeOutsideOfTheProfileIsRefusedAndTheNextRequestWorks) {
  const Mlp mlp;
  auto group = groups_.Loaded(mlp, GpusAt({0, 1}));
  ASSERT_TRUE(group);
  const auto refused = Ask(*group, mlp, 65, 3);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
  EXPECT_THAT(refused.error().message,
              ::testing::HasSubstr("'x' is [65,256], the engine takes [1,256] to [64,256]"));
  EXPECT_TRUE(group->usable());
  EXPECT_TRUE(Ask(*group, mlp, 64, 3));
}

TEST_F(EngineGpu, TwoModelsOnTheSameGpusTakeTurns) {
  const Mlp mlp;
  auto first = groups_.Loaded(mlp, GpusAt({0, 1}));
  auto second = groups_.Loaded(mlp, GpusAt({1, 0}));
  ASSERT_TRUE(first && second);
  const auto wanted = Ask(*first, mlp, 8, 3);
  ASSERT_TRUE(wanted);
  auto hammer = [&](engine::RankGroup& group) {
    for (int i = 0; i < 300; ++i) {
      const auto got = Ask(group, mlp, 1 + i % 60, 3);
      ASSERT_TRUE(got) << got.error().ToString();
    }
  };
  std::thread other([&] { hammer(*second); });
  hammer(*first);
  other.join();
  EXPECT_LE(RelativeError(*Ask(*second, mlp, 8, 3), *wanted), 2e-3);
}

// CUDA frees memory when every GPU with access to it is done, and holds up whoever launches meanwhile.
TEST_F(EngineGpu, ModelsComeAndGoWhileAnotherServes) {
  const Mlp mlp;
  auto serving = groups_.Loaded(mlp, GpusAt({0, 1}));
  ASSERT_TRUE(serving);
  std::atomic<bool> over{false};
  std::thread client([&] {
    for (int i = 0; !over; ++i) {
      const auto got = Ask(*serving, mlp, 1 + i % 16, 3, Deadline::In(seconds(10)));
      ASSERT_TRUE(got) << got.error().ToString();
    }
  });
  for (int i = 0; i < 8; ++i) {
    auto guest = groups_.Loaded(mlp, i % 2 == 0 ? GpusAt({1, 0}) : GpusAt({1}));
    EXPECT_TRUE(guest && Ask(*guest, mlp, 5, 3));
  }
  over = true;
  client.join();
}

// The outputs of each are larger than any before: every rank gives its memory back and takes more.
TEST_F(EngineGpu, StepsThatGrowDoNotWaitForEachOthersRanks) {
  Mlp mlp;
  mlp.best_m = 1;
  mlp.most_m = 4096;
  engine::TensorRtOptions copies;
  copies.replication = engine::ReplicationWay::kCopies;
  for (const auto& options : {engine::TensorRtOptions{}, copies}) {
    auto group = groups_.Loaded(mlp, GpusAt({0, 1}), options);
    ASSERT_TRUE(group);
    for (int64_t m = 2; m <= mlp.most_m; m *= 2) {
      const auto got = Ask(*group, mlp, m, 3, Deadline::In(seconds(10)));
      ASSERT_TRUE(got) << "m = " << m << ": " << got.error().ToString();
    }
  }
}

TEST_F(EngineGpu, LoadsAndUnloadsLeakNoDeviceMemory) {
  const Mlp mlp;
  auto free_bytes = [] {
    size_t free = 0;
    size_t total = 0;
    EXPECT_EQ(cudaSetDevice(Gpus()[1].value()), cudaSuccess);
    EXPECT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
    return free;
  };
  size_t before = 0;
  engine::TensorRtOptions options;
  options.spare_connections = false;  // made when it likes to: memory would come and go
  for (int i = 0; i < 103; ++i) {
    auto group = groups_.Loaded(mlp, GpusAt({0, 1}), options);
    ASSERT_TRUE(group);
    ASSERT_TRUE(Ask(*group, mlp, 4, 3));
    group.reset();
    if (i % 2 == 0) comm::NcclPool::OfProcess().Clear();  // connected anew and taken again, in turns
    if (i == 2) before = free_bytes();                    // what CUDA and NCCL keep for good is there by now
  }
  EXPECT_GE(free_bytes(), before);
}

// Ranks on streams that wait for no other: work of somebody else's on the default stream holds up none.
TEST_F(EngineGpu, StepsDoNotWaitForTheDefaultStreams) {
  const Mlp mlp;
  auto group = groups_.Loaded(mlp, GpusAt({0, 1}));
  ASSERT_TRUE(group && Ask(*group, mlp, 16, 3));
  std::promise<void> over;
  std::shared_future<void> is_over = over.get_future().share();
  for (const DeviceId device : GpusAt({0, 1})) {
    ASSERT_EQ(cudaSetDevice(device.value()), cudaSuccess);
    auto wait = [](void* future) { static_cast<std::shared_future<void>*>(future)->wait_for(seconds(20)); };
    ASSERT_EQ(cudaLaunchHostFunc(cudaStreamLegacy, wait, &is_over), cudaSuccess);
  }
  EXPECT_TRUE(Ask(*group, mlp, 16, 3, Deadline::In(seconds(5))));
  over.set_value();
  for (const DeviceId device : GpusAt({0, 1})) {
    ASSERT_EQ(cudaSetDevice(device.value()), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(cudaStreamLegacy), cudaSuccess);
  }
}

// TensorRT's default tells the names of layers only. What the engines are the library says then, when it is
// given the communicator.
TEST_F(EngineGpu, EnginesThatDoNotTellTheirLayersAreServedWithAPlanAndWithout) {
  const Mlp mlp;
  Mlp kindless = mlp;
  kindless.declared = {{"layers", "kindless"}};
  auto wanted = groups_.Loaded(mlp, GpusAt({0, 1}));
  auto with_plan = groups_.Loaded(kindless, GpusAt({0, 1}));
  const TempDirectory directory;
  auto plan = WriteMlp(kindless, 2, directory.path());
  ASSERT_TRUE(wanted && with_plan && plan);
  plan->inputs.clear();
  plan->outputs.clear();
  plan->collectives.clear();
  engine::TensorRtOptions options;
  options.devices = GpusAt({0, 1});
  auto without = engine::MakeTensorRtEngine(options)->Load(*plan, directory.path(), Soon());
  ASSERT_TRUE(without) << without.error().ToString();
  EXPECT_EQ(*Ask(*with_plan, mlp, 9, 11), *Ask(*wanted, mlp, 9, 11));
  EXPECT_EQ(*Ask(**without, mlp, 9, 11), *Ask(*wanted, mlp, 9, 11));
}

TEST_F(EngineGpu, EnginesWithoutCollectivesAreNoMultiDeviceModelWithoutAPlan) {
  const TempDirectory directory;
  auto plan = WriteFirstRow(4, 8, 2, directory.path());
  ASSERT_TRUE(plan);
  engine::TensorRtOptions options;
  options.devices = GpusAt({0, 1});
  EXPECT_TRUE(engine::MakeTensorRtEngine(options)->Load(*plan, directory.path(), Soon()));
  plan->inputs.clear();
  plan->outputs.clear();
  const auto refused = engine::MakeTensorRtEngine(options)->Load(*plan, directory.path(), Soon());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("not a multi-device engine"));
}

TEST_F(EngineGpu, MoreGpusListedThanRanksIsRefused) {
  TempDirectory directory;
  const plan::Plan plan = WriteMlp(Mlp(), 2, directory.path()).value();
  engine::TensorRtOptions options;
  options.devices = GpusAt({0, 1, 0});
  const auto loaded = engine::MakeTensorRtEngine(options)->Load(plan, directory.path(), Soon());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace tessera::gputest
