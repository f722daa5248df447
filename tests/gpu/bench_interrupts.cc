// Steps issued on the cores that the GPUs interrupt, and on another one.
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <system_error>

#include "tests/gpu/bench_data.h"

namespace tessera::gputest {
namespace {

constexpr int kWarm = 100;
constexpr int kSteps = 2000;

bool MayRunOn(int core) {
  cpu_set_t usable;
  return sched_getaffinity(0, sizeof usable, &usable) == 0 && CPU_ISSET(core, &usable);
}

// How often each core was interrupted by GPUs since the machine began. Source: proc(5), /proc/interrupts.
std::map<int, int64_t> Interrupts() {
  std::ifstream file("/proc/interrupts");
  std::string line;
  std::getline(file, line);
  std::istringstream header(line);
  std::vector<int> cores;
  for (std::string core; header >> core;) cores.push_back(std::stoi(core.substr(3)));  // "CPU0"
  std::map<int, int64_t> counts;
  while (std::getline(file, line)) {
    if (line.find("nvidia") == std::string::npos) continue;
    std::istringstream words(line);
    std::string number;
    words >> number;
    for (const int core : cores) {
      int64_t count = 0;
      words >> count;
      counts[core] += count;
    }
  }
  return counts;
}

int64_t Sum(const std::map<int, int64_t>& counts) {
  int64_t sum = 0;
  for (const auto& [core, count] : counts) sum += count;
  return sum;
}

// While this thread runs on `core` alone.
Result<std::vector<Spread>> MeasureOn(int core, engine::RankGroup& group, const engine::Step& step) {
  cpu_set_t before{};
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(core, &only);
  int error = pthread_getaffinity_np(pthread_self(), sizeof before, &before);
  if (error == 0) error = pthread_setaffinity_np(pthread_self(), sizeof only, &only);
  if (error != 0) {
    return Fail(Code::kUnavailable, "cannot run on core {}: {}", core,
                std::generic_category().message(error));
  }
  Result<std::vector<Spread>> parts = Measure(kWarm, kSteps, [&] { return TimeStep(group, step); });
  (void)pthread_setaffinity_np(pthread_self(), sizeof before, &before);
  return parts;
}

Result<void> PrintSteps(engine::RankGroup& group, const engine::Step& step, int core, const char* what) {
  const int64_t before = Sum(Interrupts());
  TRY_ASSIGN(const std::vector<Spread> parts, MeasureOn(core, group, step));
  const int64_t interrupts = Sum(Interrupts()) - before;
  std::printf("| %d | %d, %s | %.2f | %.1f / %.1f | %.1f |\n", group.world_size(), core, what,
              static_cast<double>(interrupts) / (kWarm + kSteps), parts[1].median, parts[1].p99,
              parts[0].median);
  return {};
}

}  // namespace

Result<void> BenchInterrupts(const std::vector<int>& worlds) {
  std::printf(
      "\na step of a small MLP, issued on one core; us, median / p99\n"
      "| GPUs | core | interrupts by GPUs a step | overhead | step |\n|---|---|---|---|---|\n");
  const Mlp mlp{256, 512, 256, 128, 128};
  for (const int world : worlds) {
    TRY_ASSIGN(const std::unique_ptr<OnGpus> on_gpus, PutOnGpus({128, 256}, {128, 256}, world, 1));
    engine::TensorRtOptions options;
    options.launch_helpers = 0;
    TRY_ASSIGN(const std::unique_ptr<Served> served, ServeMlp(mlp, world, options));
    const std::map<int, int64_t> counts = Interrupts();
    const auto quiet = std::find_if(counts.rbegin(), counts.rend(), [](const auto& core) {
      return core.second == 0 && MayRunOn(core.first);
    });
    if (quiet == counts.rend()) return Fail(Code::kUnavailable, "no core here that GPUs do not interrupt");
    TRY(PrintSteps(*served->group, on_gpus->step, quiet->first, "no GPU's"));
    for (const auto& [core, count] : counts) {
      if (count > 0 && MayRunOn(core)) TRY(PrintSteps(*served->group, on_gpus->step, core, "a GPU's"));
    }
  }
  return {};
}

}  // namespace tessera::gputest
