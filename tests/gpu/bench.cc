// gpu_bench [NAME ..]: figures of the executor level on this machine's GPUs; all benchmarks without a name.
#include "tests/gpu/bench.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "tests/gpu/gpus.h"

namespace tessera::gputest {

Spread SpreadOf(std::vector<double> samples) {
  if (samples.empty()) return {};
  std::sort(samples.begin(), samples.end());
  return {samples[samples.size() / 2], samples[std::min(samples.size() - 1, samples.size() * 99 / 100)]};
}

Result<std::vector<Spread>> Measure(int warm, int count,
                                    const std::function<Result<std::vector<double>>()>& once) {
  std::vector<std::vector<double>> samples;
  for (int i = 0; i < warm + count; ++i) {
    TRY_ASSIGN(const std::vector<double> figures, once());
    if (i < warm) continue;
    samples.resize(figures.size());
    for (size_t f = 0; f < figures.size(); ++f) samples[f].push_back(figures[f]);
  }
  std::vector<Spread> spreads;
  for (const std::vector<double>& figure : samples) spreads.push_back(SpreadOf(figure));
  return spreads;
}

double MicrosSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace tessera::gputest

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
