// How long a call of an in-process group takes, seen from rank 0; the other ranks call as often, each on its
// thread.
//
//     inproc_bench --benchmark_repetitions=9 --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "tessera/comm/inproc/inproc_group.h"

namespace tessera::comm {
namespace {

class Caller {
 public:
  Caller(Communicator& end, const Collective& what, size_t bytes)
      : end_(end), what_(what), send_(bytes), recv_(bytes) {}

  void Call() {
    if (!end_.Run(what_, send_, recv_, Deadline::In(std::chrono::minutes(1)))) std::abort();
  }

 private:
  Communicator& end_;
  const Collective what_;
  std::vector<std::byte> send_, recv_;
};

// Arguments: ranks, bytes.
void Measure(benchmark::State& state, const Collective& what) {
  auto ends = CreateInprocGroup(static_cast<int>(state.range(0)));
  if (!ends) return state.SkipWithError(ends.error().message.c_str());
  const auto bytes = static_cast<size_t>(state.range(1));
  std::vector<std::thread> peers;
  for (size_t rank = 1; rank < ends->size(); ++rank) {
    peers.emplace_back([&, rank, calls = state.max_iterations] {
      Caller caller(*(*ends)[rank], what, bytes);
      for (benchmark::IterationCount i = 0; i < calls; ++i) caller.Call();
    });
  }
  Caller caller(*ends->front(), what, bytes);
  for (auto _ : state) caller.Call();
  for (std::thread& peer : peers) peer.join();
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(bytes));
}

void AllReduce(benchmark::State& state) {
  Measure(state, {CollectiveOp::kAllReduce, ReduceOp::kSum});
}
void AllReduceHalf(benchmark::State& state) {
  Measure(state, {CollectiveOp::kAllReduce, ReduceOp::kSum, Rank{0}, DType::kFloat16});
}
void AllToAll(benchmark::State& state) {
  Measure(state, {CollectiveOp::kAllToAll});
}

void RanksAndSizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->UseRealTime()->Unit(benchmark::kMicrosecond)->ArgNames({"ranks", "bytes"});
  benchmark->ArgsProduct({{2, 4}, {64, 1 << 10, 8 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20}});
  benchmark->ComputeStatistics(
      "min", [](const std::vector<double>& runs) { return *std::min_element(runs.begin(), runs.end()); });
}

BENCHMARK(AllReduce)->Apply(RanksAndSizes);
BENCHMARK(AllReduceHalf)->Apply(RanksAndSizes);
BENCHMARK(AllToAll)->Apply(RanksAndSizes);

}  // namespace
}  // namespace tessera::comm

BENCHMARK_MAIN();
