// executor_speed: a line "MODEL SIZE GPU,GPU,.. STEP" for each model, size and number of GPUs; STEP is the
// median of ExecutorSpeed::in_place in microseconds. For served/grpc_bench.py.
#include <cstdio>

#include "tests/gpu/executor_speed.h"
#include "tests/gpu/gpus.h"
#include "tests/gpu/run_benches.h"
#include "tests/gpu/served_bench_data.h"

namespace tessera::gputest {
namespace {

Result<void> Print(const std::vector<int>& worlds) {
  for (const Workload& work : Workloads(worlds)) {
    for (const int world : worlds) {
      TRY_ASSIGN(const std::vector<Spread> steps, MeasureInPlace(work, world));
      for (size_t s = 0; s < steps.size(); ++s) {
        std::printf("%s %ld %s %.1f\n", work.name.c_str(), work.sizes[s], ListOf(FirstGpus(world)).c_str(),
                    steps[s].median);
      }
    }
  }
  return {};
}

}  // namespace
}  // namespace tessera::gputest

int main(int argc, char** argv) {
  return tessera::gputest::RunBenches(argc, argv, {{"executor_speed", tessera::gputest::Print}});
}
