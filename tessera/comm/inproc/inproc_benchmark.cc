// How long a collective of an in-process group takes. One benchmark thread a rank; the time is that of a
// call.
//
//     inproc_benchmark --benchmark_repetitions=9 --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "tessera/comm/inproc/inproc_group.h"

namespace tessera::comm {
namespace {

std::vector<std::unique_ptr<Communicator>> ends;

void MakeEnds(const benchmark::State& state) {
  auto made = CreateInprocGroup(state.threads());
  if (!made) std::abort();
  ends = *std::move(made);
}
void DropEnds(const benchmark::State&) {
  ends.clear();
}

void Measure(benchmark::State& state, const Collective& what) {
  const auto bytes = static_cast<size_t>(state.range(0));
  std::vector<std::byte> send(bytes), recv(bytes);
  Communicator& end = *ends[static_cast<size_t>(state.thread_index())];
  for (auto _ : state) {
    if (!end.Run(what, send, recv, Deadline::In(std::chrono::minutes(1)))) {
      state.SkipWithError("a rank failed");
      break;
    }
  }
  if (state.thread_index() == 0) {
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(bytes));
  }
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

void Sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->UseRealTime()->Unit(benchmark::kMicrosecond)->Setup(MakeEnds)->Teardown(DropEnds);
  benchmark->Threads(2)->Threads(4);
}

BENCHMARK(AllReduce)->Apply(Sizes)->RangeMultiplier(4)->Range(64, 4 << 20);
BENCHMARK(AllReduceHalf)->Apply(Sizes)->Arg(1 << 10)->Arg(1 << 20);
BENCHMARK(AllToAll)->Apply(Sizes)->Arg(1 << 10)->Arg(1 << 20);

}  // namespace
}  // namespace tessera::comm

BENCHMARK_MAIN();
