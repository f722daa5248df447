// The TensorRT engine on real GPUs, with the stand-in for libnvinfer.
#include <cuda_runtime_api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <thread>

#include "tessera/comm/nccl/pool.h"
#include "tessera/engine/tensorrt/tensorrt_engine.h"
#include "tests/gpu/gpus.h"
#include "tests/gpu/models.h"
#include "tests/gpu/steps.h"

namespace tessera::gputest {
namespace {

using std::chrono::seconds;

Deadline Soon() {
  return Deadline::In(seconds(60));
}

// The fault is there while this lives.
class Fault {
 public:
  explicit Fault(const char* text) { setenv("TESSERA_STANDIN_FAULT", text, 1); }
  ~Fault() { unsetenv("TESSERA_STANDIN_FAULT"); }
};

// The tests' GPUs by their place in the list.
std::vector<DeviceId> Gpus(std::initializer_list<size_t> places) {
  std::vector<DeviceId> devices;
  for (const size_t place : places) devices.push_back(gputest::Gpus()[place]);
  return devices;
}

class EngineGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    if (gputest::Gpus().size() < 2) GTEST_SKIP() << "needs two GPUs";
  }

  Result<std::unique_ptr<engine::RankGroup>> Load(const Mlp& mlp, std::vector<DeviceId> devices,
                                                  engine::TensorRtOptions options = {}) {
    directories_.push_back(std::make_unique<TempDirectory>());
    const std::filesystem::path& directory = directories_.back()->path();
    TRY_ASSIGN(const plan::Plan plan, WriteMlp(mlp, static_cast<int>(devices.size()), directory));
    options.devices = std::move(devices);
    engines_.push_back(engine::MakeTensorRtEngine(options));
    return engines_.back()->Load(plan, directory, Soon());
  }

  std::unique_ptr<engine::RankGroup> Loaded(const Mlp& mlp, std::vector<DeviceId> devices,
                                            const engine::TensorRtOptions& options = {}) {
    auto loaded = Load(mlp, std::move(devices), options);
    if (!loaded) ADD_FAILURE() << loaded.error().ToString();
    return loaded ? *std::move(loaded) : nullptr;
  }

  std::vector<std::unique_ptr<TempDirectory>> directories_;
  std::vector<std::unique_ptr<engine::Engine>> engines_;
};

// One request of m rows; y as floats.
Result<std::vector<float>> Ask(engine::RankGroup& group, const Mlp& mlp, int64_t m, unsigned seed,
                               Deadline deadline = Soon()) {
  const std::vector<uint16_t> x = RandomHalves(static_cast<size_t>(m * mlp.k), seed, 1);
  Taker taker;
  TRY(group.Run(Common({{DType::kFloat16, {m, mlp.k}, HostRegion(std::as_bytes(std::span(x)))}},
                       group.world_size(), taker, deadline)));
  std::vector<float> y;
  for (const uint16_t half : taker.Values<uint16_t>(0, 0)) y.push_back(FromHalf(half));
  return y;
}

double RelativeError(const std::vector<float>& got, const std::vector<float>& wanted) {
  double difference = 0;
  double most = 0;
  if (got.size() != wanted.size() || got.empty()) return INFINITY;
  for (size_t i = 0; i < got.size(); ++i) {
    difference =
        std::max(difference, std::fabs(static_cast<double>(got[i]) - static_cast<double>(wanted[i])));
    most = std::max(most, std::fabs(static_cast<double>(wanted[i])));
  }
  return difference / most;
}

TEST_F(EngineGpu, RanksAnswerAsOneGpuDoes) {
  const Mlp mlp;
  auto one = Loaded(mlp, Gpus({0}));
  auto two = Loaded(mlp, Gpus({0, 1}));
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
  auto group = Loaded(mlp, Gpus({1, 0}));
  auto alone = Loaded(mlp, Gpus({1}));
  ASSERT_TRUE(group && alone);
  EXPECT_LE(RelativeError(*Ask(*group, mlp, 5, 3), *Ask(*alone, mlp, 5, 3)), 2e-3);
}

TEST_F(EngineGpu, EveryRankHasTheSameReplicatedOutput) {
  const Mlp mlp;
  auto group = Loaded(mlp, Gpus({0, 1}));
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
  auto captured = Loaded(mlp, Gpus({0, 1}));
  auto issued = Loaded(mlp, Gpus({0, 1}), eager);
  ASSERT_TRUE(captured && issued);
  for (const int64_t m : {2, 9, 2}) EXPECT_EQ(*Ask(*captured, mlp, m, 11), *Ask(*issued, mlp, m, 11));
}

TEST_F(EngineGpu, HelpersThatLaunchChangeNoAnswer) {
  const Mlp mlp;
  engine::TensorRtOptions alone;
  alone.launch_helpers = 0;
  engine::TensorRtOptions helped;
  helped.launch_helpers = 1;
  auto by_caller = Loaded(mlp, Gpus({0, 1}), alone);
  auto with_helper = Loaded(mlp, Gpus({0, 1}), helped);
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
  auto gathered = Loaded(mlp, Gpus({0, 1}), gathers);
  auto copied = Loaded(mlp, Gpus({0, 1}), copies);
  ASSERT_TRUE(gathered && copied);
  for (const int64_t m : {1, 257, 512}) EXPECT_EQ(*Ask(*gathered, mlp, m, 13), *Ask(*copied, mlp, m, 13));
}

TEST_F(EngineGpu, AShapeOutsideOfTheProfileIsRefusedAndTheNextRequestWorks) {
  const Mlp mlp;
  auto group = Loaded(mlp, Gpus({0, 1}));
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
  auto first = Loaded(mlp, Gpus({0, 1}));
  auto second = Loaded(mlp, Gpus({1, 0}));
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
  auto serving = Loaded(mlp, Gpus({0, 1}));
  ASSERT_TRUE(serving);
  std::atomic<bool> over{false};
  std::thread client([&] {
    for (int i = 0; !over; ++i) {
      const auto got = Ask(*serving, mlp, 1 + i % 16, 3, Deadline::In(seconds(10)));
      ASSERT_TRUE(got) << got.error().ToString();
    }
  });
  for (int i = 0; i < 8; ++i) {
    auto guest = Loaded(mlp, i % 2 == 0 ? Gpus({1, 0}) : Gpus({1}));
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
    auto group = Loaded(mlp, Gpus({0, 1}), options);
    ASSERT_TRUE(group);
    for (int64_t m = 2; m <= mlp.most_m; m *= 2) {
      const auto got = Ask(*group, mlp, m, 3, Deadline::In(seconds(10)));
      ASSERT_TRUE(got) << "m = " << m << ": " << got.error().ToString();
    }
  }
}

TEST_F(EngineGpu, ARankThatFailsToEnqueueEndsTheStepOnEveryRank) {
  const Mlp mlp;
  auto group = Loaded(mlp, Gpus({0, 1}));
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

TEST_F(EngineGpu, ARankThatSkipsItsCollectiveIsToldByTheDeadline) {
  const Mlp mlp;
  auto group = Loaded(mlp, Gpus({0, 1}));
  ASSERT_TRUE(group);
  const Fault fault("skip:rank=0:call=2");
  const auto failed = Ask(*group, mlp, 5, 3, Deadline::In(std::chrono::milliseconds(300)));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kDeadline);
  EXPECT_FALSE(group->usable());
}

TEST_F(EngineGpu, ARankThatStallsInAGraphIsToldByTheDeadlineAndANewGroupWorks) {
  const Mlp mlp;
  {
    const Fault fault("stall:rank=1:call=3");
    auto group = Loaded(mlp, Gpus({0, 1}));
    ASSERT_TRUE(group);
    Result<std::vector<float>> answer = std::vector<float>();
    const auto start = Deadline::Clock::now();
    for (int i = 0; i < 8 && answer; ++i) {
      answer = Ask(*group, mlp, 16, 3, Deadline::In(std::chrono::milliseconds(500)));
    }
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Code::kDeadline);
    EXPECT_LT(Deadline::Clock::now() - start, seconds(10));
  }
  auto group = Loaded(mlp, Gpus({0, 1}));
  ASSERT_TRUE(group);
  EXPECT_TRUE(Ask(*group, mlp, 16, 3));
}

// Freeing what the GPU works with would wait for it: it is left behind.
TEST_F(EngineGpu, AGroupWhoseStepHangsGoesInBoundedTime) {
  const Mlp mlp;
  const Fault fault("stall:rank=1:call=3:seconds=35");
  engine::TensorRtOptions options;
  options.spare_connections = false;  // one that is being made would wait for the GPU, and this for it
  auto group = Loaded(mlp, Gpus({0, 1}), options);
  ASSERT_TRUE(group);
  const auto start = Deadline::Clock::now();
  Result<std::vector<float>> answer = std::vector<float>();
  for (int i = 0; i < 8 && answer; ++i) {
    answer = Ask(*group, mlp, 16, 3, Deadline::In(std::chrono::milliseconds(500)));
  }
  ASSERT_FALSE(answer);
  group.reset();
  EXPECT_LT(Deadline::Clock::now() - start, seconds(25));
}

TEST_F(EngineGpu, AnAbortEndsAStepInFlight) {
  const Mlp mlp;
  const Fault fault("stall:rank=1:call=2");
  auto group = Loaded(mlp, Gpus({0, 1}));
  ASSERT_TRUE(group);
  std::thread aborter([&] { group->Abort(Error{Code::kCancelled, "enough", -1, __FILE__, __LINE__}); });
  Result<std::vector<float>> answer = std::vector<float>();
  for (int i = 0; i < 8 && answer; ++i) answer = Ask(*group, mlp, 16, 3);
  aborter.join();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message, "enough");
}

TEST_F(EngineGpu, AnEngineThatRefusesTheCommunicatorFailsTheLoad) {
  const Fault fault("communicator:rank=1");
  const auto start = Deadline::Clock::now();
  const auto loaded = Load(Mlp(), Gpus({0, 1}));
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, ::testing::HasSubstr("not a multi-device engine"));
  EXPECT_EQ(loaded.error().rank, 1);
  EXPECT_LT(Deadline::Clock::now() - start, seconds(30));
}

TEST_F(EngineGpu, LoadsAndUnloadsLeakNoDeviceMemory) {
  const Mlp mlp;
  auto free_bytes = [] {
    size_t free = 0;
    size_t total = 0;
    EXPECT_EQ(cudaSetDevice(gputest::Gpus()[1].value()), cudaSuccess);
    EXPECT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
    return free;
  };
  size_t before = 0;
  engine::TensorRtOptions options;
  options.spare_connections = false;  // made when it likes to: memory would come and go
  for (int i = 0; i < 103; ++i) {
    auto group = Loaded(mlp, Gpus({0, 1}), options);
    ASSERT_TRUE(group);
    ASSERT_TRUE(Ask(*group, mlp, 4, 3));
    group.reset();
    if (i % 2 == 0) comm::NcclPool::OfProcess().Clear();  // connected anew and taken again, in turns
    if (i == 2) before = free_bytes();                    // what CUDA and NCCL keep for good is there by now
  }
  EXPECT_GE(free_bytes(), before);
}

TEST_F(EngineGpu, MoreGpusListedThanRanksIsRefused) {
  TempDirectory directory;
  const plan::Plan plan = WriteMlp(Mlp(), 2, directory.path()).value();
  engine::TensorRtOptions options;
  options.devices = Gpus({0, 1, 0});
  const auto loaded = engine::MakeTensorRtEngine(options)->Load(plan, directory.path(), Soon());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace tessera::gputest
