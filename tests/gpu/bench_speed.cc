// How much faster N GPUs are than one.
#include <cstdio>
#include <string>

#include "tests/gpu/attention.h"
#include "tests/gpu/bench_data.h"
#include "tests/gpu/gpus.h"

namespace tessera::gputest {
namespace {

// A row of a table; a first call, of one GPU, sets `alone`.
void PrintSpeed(int64_t size, int world, const std::string& on, const std::vector<Spread>& spread,
                double& alone) {
  if (world == 1) alone = spread[0].median;
  std::printf("| %ld | %s | %.1f / %.1f | %.1f / %.1f | %.2fx |\n", size, on.c_str(), spread[0].median,
              spread[0].p99, spread[1].median, spread[1].p99, alone / spread[0].median);
}

// `alone` as in PrintSpeed, [size].
Result<void> BenchMlpAt(const Mlp& mlp, const std::vector<int64_t>& sizes, int world, int helpers,
                        std::vector<double>& alone) {
  engine::TensorRtOptions options;
  options.launch_helpers = helpers;
  TRY_ASSIGN(const std::unique_ptr<Served> served, ServeMlp(mlp, world, options));
  const std::string on = WorldLabel(world) + " | " + std::to_string(helpers);
  for (size_t s = 0; s < sizes.size(); ++s) {
    TRY_ASSIGN(const std::unique_ptr<OnGpus> data, PutOnGpus({sizes[s], mlp.k}, {sizes[s], mlp.n}, world, 1));
    TRY_ASSIGN(const std::vector<Spread> spread, Measure(20, sizes[s] > 4096 ? 100 : 500, [&] {
                 return TimeStep(*served->group, data->step);
               }));
    PrintSpeed(sizes[s], world, on, spread, alone[s]);
  }
  return {};
}

Result<void> BenchOneMlp(const char* title, const Mlp& mlp, const std::vector<int64_t>& sizes,
                         const std::vector<int>& worlds) {
  std::printf(
      "\n%s: MLP %ld -> %ld -> %ld fp16, tensor parallel; input on the GPUs, output to GPU 0; us, median / "
      "p99\n",
      title, mlp.k, mlp.f, mlp.n);
  std::printf(
      "| M | GPUs | helpers that launch | step | over the slowest rank's GPU time | speed-up "
      "|\n|---|---|---|---|---|---|\n");
  std::vector<double> alone(sizes.size(), 0);
  for (const int world : worlds) {
    for (const int helpers : HelpersToCompare(world)) {
      TRY(BenchMlpAt(mlp, sizes, world, helpers, alone));
    }
  }
  return {};
}

}  // namespace

Result<void> BenchMlp(const std::vector<int>& worlds) {
  Mlp megatron{4096, 8192, 4096, 2048, 16384};
  TRY(BenchOneMlp("mlp", megatron, {1, 128, 2048, 16384}, worlds));
  Mlp chain{4096, 16384, 4096, 128, 2048};
  return BenchOneMlp("chain", chain, {1, 128, 2048}, worlds);
}

Result<void> BenchAttention(const std::vector<int>& worlds) {
  std::printf(
      "\nattention: six layers, hidden 4096, 32 heads, fp16, context parallel; every rank's part of input "
      "and "
      "output on its GPU; us, median / p99\n"
      "| sequence | GPUs | step | over the slowest rank's GPU time | speed-up |\n|---|---|---|---|---|\n");
  const std::vector<int64_t> sizes = {8192, 32768};
  std::vector<double> alone(sizes.size(), 0);
  for (const int world : worlds) {
    if (!HasAttention(world)) {
      std::printf("| | %d | not made: see make_cases.py | | |\n", world);
      continue;
    }
    TRY_ASSIGN(const std::unique_ptr<Served> served,
               Serve(world, [&](const std::filesystem::path& directory) {
                 return WriteAttention(world, directory);
               }));
    for (size_t s = 0; s < sizes.size(); ++s) {
      const Shape part = {1, sizes[s] / world, kAttentionHidden};
      TRY_ASSIGN(const std::unique_ptr<OnGpus> data, PutOnGpus(part, part, world, world));
      TRY_ASSIGN(const std::vector<Spread> spread,
                 Measure(5, sizes[s] > 8192 ? 15 : 60, [&] { return TimeStep(*served->group, data->step); }));
      PrintSpeed(sizes[s], world, WorldLabel(world), spread, alone[s]);
    }
  }
  return {};
}

}  // namespace tessera::gputest
