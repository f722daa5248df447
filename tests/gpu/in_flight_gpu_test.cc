// Several steps in flight: each is answered with its own data, in order, and a failure fails all of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <future>
#include <numeric>

#include "tessera/base/mutex.h"
#include "tests/gpu/device_memory.h"
#include "tests/gpu/gpus.h"
#include "tests/gpu/mlp_groups.h"
#include "tests/gpu/steps.h"

namespace tessera::gputest {
namespace {

// A step with all that has to stay until it is done.
struct Flight {
  std::vector<uint16_t> x;
  Taker taker;
  engine::Step step;
  std::promise<Result<engine::StepReport>> done;
  std::future<Result<engine::StepReport>> report = done.get_future();
};

class InFlightGpu : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    if (Gpus().size() < static_cast<size_t>(GetParam())) GTEST_SKIP() << GetParam() << " ranks";
  }

  std::unique_ptr<engine::RankGroup> Load(const Mlp& mlp, const engine::TensorRtOptions& options = {}) {
    mlp_ = mlp;
    return groups_.Loaded(mlp, FirstGpus(GetParam()), options);
  }

  std::unique_ptr<Flight> HostStep(int64_t m, unsigned seed, Deadline deadline = Soon()) const {
    auto flight = std::make_unique<Flight>();
    flight->x = RandomHalves(static_cast<size_t>(m * mlp_.k), seed, 1);
    const TensorView view{DType::kFloat16, {m, mlp_.k}, HostRegion(std::as_bytes(std::span(flight->x)))};
    flight->step = Common({view}, GetParam(), flight->taker, deadline);
    return flight;
  }

  // Answered by Run, with nothing else in flight.
  std::vector<uint16_t> Alone(engine::RankGroup& group, int64_t m, unsigned seed) const {
    const std::unique_ptr<Flight> flight = HostStep(m, seed);
    const auto done = group.Run(flight->step);
    EXPECT_TRUE(done) << done.error().ToString();
    return done ? flight->taker.Values<uint16_t>(0, 0) : std::vector<uint16_t>();
  }

  void Submit(engine::RankGroup& group, Flight& flight, int number = 0) {
    group.Submit(flight.step, [this, &flight, number](Result<engine::StepReport> report) {
      {
        MutexLock lock(mutex_);
        order_.push_back(number);
      }
      flight.done.set_value(std::move(report));
    });
  }

  // Keeps as many in flight as may be; `check` is given each one, done.
  void Pump(engine::RankGroup& group, int count, const std::function<std::unique_ptr<Flight>(int)>& make,
            const std::function<void(int, const Flight&, const engine::StepReport&)>& check) {
    std::deque<std::pair<int, std::unique_ptr<Flight>>> open;
    auto land = [&] {
      const auto report = open.front().second->report.get();
      ASSERT_TRUE(report) << "step " << open.front().first << ": " << report.error().ToString();
      check(open.front().first, *open.front().second, *report);
      open.pop_front();
    };
    for (int i = 0; i < count; ++i) {
      if (open.size() == static_cast<size_t>(group.steps_in_flight())) land();
      open.emplace_back(i, make(i));
      Submit(group, *open.back().second, i);
    }
    while (!open.empty()) land();
  }

  void ExpectNewContent(const Mlp& mlp, int64_t rows, DeviceId device);

  Mlp mlp_;
  MlpGroups groups_;
  Mutex mutex_;
  std::vector<int> order_ GUARDED_BY(mutex_);
};

TEST_P(InFlightGpu, EachIsAnsweredWithItsOwnInOrder) {
  engine::TensorRtOptions options;
  options.steps_in_flight = 3;
  auto group = Load(Mlp(), options);
  auto alone = Load(Mlp());
  ASSERT_TRUE(group && alone);
  const int64_t rows[] = {16, 1, 3, 64, 16, 16};
  Pump(
      *group, 120, [&](int i) { return HostStep(rows[i % 6], static_cast<unsigned>(i)); },
      [&](int i, const Flight& flight, const engine::StepReport&) {
        EXPECT_EQ(flight.taker.Values<uint16_t>(0, 0), Alone(*alone, rows[i % 6], static_cast<unsigned>(i)))
            << "step " << i;
      });
  std::vector<int> sorted(120);
  std::iota(sorted.begin(), sorted.end(), 0);
  MutexLock lock(mutex_);
  EXPECT_EQ(order_, sorted);
}

// Copies of megabytes go beside the compute, in slices and whole, for rows that grow and shrink.
TEST_P(InFlightGpu, LargeDataBesideOtherStepsIsRight) {
  for (const size_t gather_from : {size_t{1}, SIZE_MAX}) {
    engine::TensorRtOptions options;
    options.gather_from = gather_from;
    auto group = Load(Mlp{2048, 512, 2048, 16, 512}, options);
    ASSERT_TRUE(group);
    const int64_t rows[] = {128, 512, 509, 512};
    std::vector<std::vector<uint16_t>> wanted;
    for (unsigned i = 0; i < 4; ++i) wanted.push_back(Alone(*group, rows[i], i));
    Pump(
        *group, 24, [&](int i) { return HostStep(rows[i % 4], static_cast<unsigned>(i % 4)); },
        [&](int i, const Flight& flight, const engine::StepReport&) {
          EXPECT_EQ(flight.taker.Values<uint16_t>(0, 0), wanted[static_cast<size_t>(i % 4)]) << "step " << i;
        });
  }
}

// Two requests whose memory is on the GPU, in turns: captured on it while the other one is in flight.
void InFlightGpu::ExpectNewContent(const Mlp& mlp, int64_t rows, DeviceId device) {
  auto group = Load(mlp);
  ASSERT_TRUE(group);
  const size_t bytes = static_cast<size_t>(rows * mlp_.k) * 2;
  std::vector<cuda::DeviceBuffer> x;
  std::vector<cuda::DeviceBuffer> y;
  std::vector<std::vector<uint16_t>> wanted;
  for (unsigned i = 0; i < 2; ++i) {
    x.push_back(cuda::DeviceBuffer::Create(device, bytes).value());
    y.push_back(cuda::DeviceBuffer::Create(device, bytes).value());
  }
  for (unsigned seed = 0; seed < 24; ++seed) wanted.push_back(Alone(*group, rows, seed));
  auto make = [&](int i) {
    auto flight = std::make_unique<Flight>();
    const auto halves = RandomHalves(bytes / 2, static_cast<unsigned>(i), 1);
    const auto buffer = static_cast<size_t>(i % 2);
    EXPECT_TRUE(CopyNow(HostRegion(std::as_bytes(std::span(halves))), Whole(x[buffer]), device, Soon()));
    flight->taker.TakeTo(Rank(0), 0, Whole(y[buffer]));
    flight->step =
        Common({{DType::kFloat16, {rows, mlp_.k}, Whole(x[buffer])}}, GetParam(), flight->taker, Soon());
    return flight;
  };
  Pump(*group, 24, make, [&](int i, const Flight&, const engine::StepReport&) {
    std::vector<uint16_t> got(bytes / 2);
    EXPECT_TRUE(CopyNow(Whole(y[static_cast<size_t>(i % 2)]),
                        HostRegion(std::as_writable_bytes(std::span(got))), device, Soon()));
    EXPECT_EQ(got, wanted[static_cast<size_t>(i)]) << "step " << i;
  });
}

TEST_P(InFlightGpu, MemoryOnAGpuIsUsedWithItsNewContent) {
  ExpectNewContent(Mlp(), 16, Gpus().front());
}

// From the GPU of the first rank, and of the last one, to the others beside other steps.
TEST_P(InFlightGpu, LargeMemoryOnAGpuIsUsedWithItsNewContent) {
  const Mlp large{2048, 512, 2048, 16, 512};
  ExpectNewContent(large, 512, Gpus().front());
  ExpectNewContent(large, 512, Gpus()[static_cast<size_t>(GetParam()) - 1]);
}

TEST_P(InFlightGpu, RanksTimesAreThoseOfTheirOwnStep) {
  auto group = Load(Mlp{2048, 4096, 2048, 16, 512});
  ASSERT_TRUE(group);
  auto median = [](std::vector<double> times) {
    std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2),
                     times.end());
    return times[times.size() / 2];
  };
  auto slowest = [](const engine::StepReport& report) {
    return static_cast<double>(std::max_element(report.rank_time.begin(), report.rank_time.end())->count());
  };
  std::map<int64_t, double> alone;  // by rows: a long step and a short one in turns
  for (const int64_t rows : {512, 16}) {
    std::vector<double> times;
    for (int i = 0; i < 30; ++i) times.push_back(slowest(*group->Run(HostStep(rows, 1)->step)));
    alone[rows] = median(times);
  }
  std::map<int64_t, std::vector<double>> times;
  auto rows_of = [](int i) { return int64_t{i % 2 == 0 ? 512 : 16}; };
  Pump(
      *group, 60, [&](int i) { return HostStep(rows_of(i), 1); },
      [&](int i, const Flight&, const engine::StepReport& report) {
        times[rows_of(i)].push_back(slowest(report));
      });
  for (const auto& [rows, lone] : alone) {
    EXPECT_GT(median(times[rows]), lone * 0.4) << rows;
    EXPECT_LT(median(times[rows]), lone * 2.5) << rows;
  }
}

class RefusingSink final : public engine::OutputSink {
 public:
  Result<Region> Place(Rank, int, DType, const Shape&) override {
    return Fail(Code::kUnavailable, "no room");
  }
};

TEST_P(InFlightGpu, AStepThatIsRefusedLeavesTheOthersAlone) {
  auto group = Load(Mlp());
  ASSERT_TRUE(group);
  const auto wanted = Alone(*group, 16, 1);
  auto first = HostStep(16, 1);
  Submit(*group, *first);
  RefusingSink refusing;
  auto refused = HostStep(16, 2);
  refused->step.sink = &refusing;
  Submit(*group, *refused);
  EXPECT_EQ(refused->report.get().error().message, "no room");
  auto misfit = HostStep(65, 2);
  Submit(*group, *misfit);
  EXPECT_EQ(misfit->report.get().error().code, Code::kInvalidArgument);
  ASSERT_TRUE(first->report.get());
  EXPECT_EQ(first->taker.Values<uint16_t>(0, 0), wanted);
  EXPECT_TRUE(group->usable());
}

TEST_P(InFlightGpu, AStepThatStallsFailsTheOneBehindItAsWell) {
  if (GetParam() == 1) GTEST_SKIP() << "a lone rank is not aborted: it ends by itself";
  std::unique_ptr<engine::RankGroup> group;
  {
    const Fault fault("stall:rank=1:call=3");  // 0: warm-up; the third step
    group = Load(Mlp());
  }
  ASSERT_TRUE(group);
  for (unsigned i = 0; i < 2; ++i) (void)Alone(*group, 16, i);
  auto stalls = HostStep(16, 3, Deadline::In(std::chrono::milliseconds(500)));
  auto behind = HostStep(16, 4, Deadline::In(std::chrono::seconds(30)));
  const auto start = Deadline::Clock::now();
  Submit(*group, *stalls);
  Submit(*group, *behind);
  EXPECT_EQ(stalls->report.get().error().code, Code::kDeadline);
  EXPECT_EQ(behind->report.get().error().code, Code::kDeadline);
  EXPECT_LT(Deadline::Clock::now() - start, std::chrono::seconds(10));
  EXPECT_FALSE(group->usable());
  auto late = HostStep(16, 5);
  Submit(*group, *late);
  EXPECT_FALSE(late->report.get());
}

TEST_P(InFlightGpu, AnAbortFailsAllThatAreInFlight) {
  auto group = Load(Mlp{4096, 16384, 4096, 16, 2048});
  ASSERT_TRUE(group);
  (void)Alone(*group, 2048, 1);
  auto first = HostStep(2048, 1);
  auto second = HostStep(2048, 2);
  Submit(*group, *first);
  Submit(*group, *second);
  group->Abort(Error{Code::kCancelled, "enough", -1, __FILE__, __LINE__});
  (void)first->report.get();  // may have ended before
  const auto failed = second->report.get();
  if (!failed) {
    EXPECT_EQ(failed.error().message, "enough");
  }
  EXPECT_FALSE(group->usable());
}

TEST_P(InFlightGpu, TheEndOfTheGroupEndsWhatIsInFlight) {
  auto group = Load(Mlp{4096, 16384, 4096, 16, 2048});
  ASSERT_TRUE(group);
  auto first = HostStep(2048, 1);
  auto second = HostStep(2048, 2);
  Submit(*group, *first);
  Submit(*group, *second);
  group.reset();
  for (Flight* flight : {first.get(), second.get()}) {
    ASSERT_EQ(flight->report.wait_for(std::chrono::seconds(0)), std::future_status::ready);
    if (const auto report = flight->report.get(); !report) {
      EXPECT_EQ(report.error().message, "the model is being unloaded");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, InFlightGpu, ::testing::Values(1, 2));

}  // namespace
}  // namespace tessera::gputest
