// What a step costs beyond the ranks' own time: Infer's total less the slowest rank's, with ranks that
// compute for a given time and have no collective. Limit: 60 us with 2 ranks on 2 cores.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>

#include "tessera/comm/inproc/inproc_group.h"
#include "tessera/engine/testing/scripted_session.h"
#include "tessera/engine/threaded_rank_group.h"
#include "tessera/exec/executor.h"
#include "tessera/exec/testing/plan_directory.h"

namespace tessera::exec {
namespace {

using Clock = std::chrono::steady_clock;

void ComputeFor(std::chrono::nanoseconds span) {
  const Clock::time_point end = Clock::now() + span;
  while (Clock::now() < end) benchmark::ClobberMemory();
}

// y = x of 384 floats, after some time of computing.
class BusyEngine final : public engine::Engine {
 public:
  explicit BusyEngine(std::chrono::nanoseconds span) : span_(span) {}

  std::string_view name() const override { return "busy"; }

  Result<std::unique_ptr<engine::RankGroup>> Load(const plan::Plan& plan,
                                                  const std::filesystem::path& /*directory*/,
                                                  Deadline deadline) override {
    TRY_ASSIGN(auto ends, comm::CreateInprocGroup(plan.world_size()));
    const engine::Script script = [span = span_](const engine::ScriptedStep& step) -> Result<void> {
      ComputeFor(span);
      TRY_ASSIGN(const Region place, step.sink.Place(step.end.rank(), 0, DType::kFloat32, {1, 384}));
      if (place.data != nullptr) CopyHost(step.inputs.tensors[0].data, place);
      return {};
    };
    return engine::MakeThreadedRankGroup(std::move(ends),
                                         engine::Scripted({{"x", DType::kFloat32, {kDynamic, 384}}},
                                                          {{"y", DType::kFloat32, {kDynamic, 384}}}, script),
                                         deadline);
  }

 private:
  std::chrono::nanoseconds span_;
};

class FixedTarget final : public OutputTarget {
 public:
  Result<Region> Place(int /*index*/, DType /*type*/, const Shape& /*shape*/) override {
    return HostRegion(std::as_writable_bytes(std::span(values_)));
  }

 private:
  std::vector<float> values_ = std::vector<float>(384);
};

template <class T>
T OrExit(Result<T> result) {
  if (result) return *std::move(result);
  fmt::print(stderr, "{}\n", result.error().message);
  std::exit(1);
}

double Percentile(std::vector<double>& values, double fraction) {
  const auto at = values.begin() + static_cast<ptrdiff_t>(fraction * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

// Manual time = the mean overhead; p10, p50 and p90 tell the step's own cost from the machine's other work.
void Overhead(benchmark::State& state) {
  const auto ranks = static_cast<int>(state.range(0));
  BusyEngine engine{std::chrono::microseconds(state.range(1))};
  const PlanDirectory directory;
  const plan::TensorPlan x{{"x", DType::kFloat32, {kDynamic, 384}}, {"batch", ""}, {}};
  const plan::TensorPlan y{{"y", DType::kFloat32, {kDynamic, 384}}, {"batch", ""}, {}};
  if (!directory.WritePlan(ranks, {x}, {y})) return state.SkipWithError("cannot write the plan");
  auto executor = OrExit(Executor::Create(directory.path(), engine));

  const std::vector<float> values(384);
  const TensorView input{DType::kFloat32, {1, 384}, HostRegion(std::as_bytes(std::span(values)))};
  FixedTarget target;
  std::vector<double> overheads;
  for (auto _ : state) {
    const InferReport report = OrExit(executor->Infer(std::span(&input, 1), target, Deadline::Never()));
    const auto slowest = *std::max_element(report.rank_time.begin(), report.rank_time.end());
    overheads.push_back(std::chrono::duration<double>(report.total - slowest).count());
    state.SetIterationTime(overheads.back());
  }
  state.counters["p10_us"] = 1e6 * Percentile(overheads, 0.1);
  state.counters["p50_us"] = 1e6 * Percentile(overheads, 0.5);
  state.counters["p90_us"] = 1e6 * Percentile(overheads, 0.9);
}

BENCHMARK(Overhead)
    ->ArgNames({"ranks", "compute_us"})
    ->ArgsProduct({{1, 2, 4}, {10, 200}})
    ->UseManualTime()
    ->Iterations(3000)
    ->Repetitions(3)
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace tessera::exec

BENCHMARK_MAIN();
