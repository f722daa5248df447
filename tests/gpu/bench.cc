// gpu_bench [NAME ..]: figures of the executor level on this machine's GPUs; all benchmarks without a name.
#include "tests/gpu/bench.h"

#include <string_view>

#include "tests/gpu/run_benches.h"

int main(int argc, char** argv) {
  using namespace tessera::gputest;
  if (argc > 1 && std::string_view(argv[1]) == "load_once") return LoadOnce(argc - 2, argv + 2);
  return RunBenches(argc, argv,
                    {{"replicate", BenchReplicate},
                     {"overhead", BenchOverhead},
                     {"interrupts", BenchInterrupts},
                     {"in_flight", BenchInFlight},
                     {"launch", BenchLaunch},
                     {"mlp", BenchMlp},
                     {"attention", BenchAttention},
                     {"load", BenchLoad},
                     {"read", BenchRead}});
}
