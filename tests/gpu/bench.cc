// gpu_bench [NAME ..]: figures of the executor level on this machine's GPUs; all benchmarks without a name.
#include "tests/gpu/bench.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "tests/gpu/gpus.h"

int main(int argc, char** argv) {
  using namespace tessera;
  using Bench = Result<void> (*)(const std::vector<int>&);
  const std::pair<const char*, Bench> all[] = {
      {"replicate", gputest::BenchReplicate}, {"overhead", gputest::BenchOverhead},
      {"launch", gputest::BenchLaunch},       {"mlp", gputest::BenchMlp},
      {"attention", gputest::BenchAttention}, {"load", gputest::BenchLoad}};
  std::vector<int> worlds;
  for (int n = 1; n <= static_cast<int>(gputest::Gpus().size()); n *= 2) worlds.push_back(n);
  if (worlds.empty()) {
    std::fprintf(stderr, "no GPU here\n");
    return 1;
  }
  int failed = 0;
  for (const auto& [name, bench] : all) {
    const bool asked = argc < 2 || std::any_of(argv + 1, argv + argc, [&](const char* word) {
                         return std::strcmp(word, name) == 0;
                       });
    if (!asked) continue;
    const Result<void> done = bench(worlds);
    if (done) continue;
    std::printf("%s: FAILED: %s\n", name, done.error().ToString().c_str());
    failed = 1;
  }
  return failed;
}
