#include "tests/gpu/served_speed.h"

#include <cstdio>
#include <map>

#include "tests/gpu/executor_speed.h"
#include "tests/gpu/gpus.h"
#include "tests/gpu/served_bench_data.h"

namespace tessera::gputest {
namespace {

namespace fs = std::filesystem;
constexpr double kSeconds = 0.7;
constexpr size_t kUnderWay = 4;

std::string NameOf(const Workload& work, int world, int in_flight) {
  return fmt::format("{}_on{}_{}", work.name, world, in_flight);
}

// The same files with one and with two steps in flight.
Result<void> AddModels(Repository& repository, const Workload& work, int world) {
  Configuration configuration{work.x, work.y, FirstGpus(world), {{"steps_in_flight", "1"}}};
  TRY(repository.Add(NameOf(work, world, 1), configuration,
                     [&](const fs::path& directory) { return work.write(world, directory); }));
  configuration.parameters["steps_in_flight"] = "2";
  return repository.AddSame(NameOf(work, world, 2), NameOf(work, world, 1), configuration);
}

// Of one model: what one GPU needs for a step and a request, and how many it serves a second.
struct Figures {
  double in_place = 0;
  double from_first = 0;
  double request = 0;
  double rate = 0;
};

Result<Figures> Ask(TritonHost& host, const std::string& model, const Workload& work, int64_t size) {
  std::vector<std::unique_ptr<Buffers>> buffers;
  std::vector<Once> callers;
  for (size_t i = 0; i < kUnderWay; ++i) {
    TRY_ASSIGN(std::unique_ptr<Buffers> made,
               MakeBuffers(model, work.part_of_x(size, 1), work.part_of_y(size, 1), Gpus().front()));
    callers.emplace_back([&host, request = &made->request] { return host.Infer(*request); });
    buffers.push_back(std::move(made));
  }
  Figures figures;
  TRY_ASSIGN(const Spread request, MeasureFor(kSeconds, [&]() -> Result<double> {
               const auto start = std::chrono::steady_clock::now();
               TRY(callers.front()());
               return MicrosSince(start);
             }));
  figures.request = request.median;
  TRY_ASSIGN(figures.rate, RateOf(callers, kSeconds));
  return figures;
}

void Print(const Workload& work, int64_t size, int world, int in_flight, const Figures& one,
           const Figures& now) {
  const double wanted = one.in_place / now.in_place;
  const double by_time = one.request / now.request;
  const double by_rate = now.rate / one.rate;
  std::printf(
      "| %s %ld | %s | %.1f | %.2fx | %.1f | %.2fx | %d | %.1f | %.2fx | %.1f%% | %.1f | %.2fx | %.1f%% "
      "|\n",
      work.name.c_str(), size, WorldLabel(world).c_str(), now.in_place, wanted, now.from_first,
      one.from_first / now.from_first, in_flight, now.request, by_time, 100 * by_time / wanted, now.rate,
      by_rate, 100 * by_rate / wanted);
  std::fflush(stdout);
}

void PrintHead() {
  std::printf(
      "\nspeed: in-process server, x and y on rank 0's GPU, %zu under way for the rate; us, medians; each "
      "speed-up is over one "
      "GPU in the same column, of the executor's: of the one of steps in place\n"
      "| model | GPUs | executor's step, x in place | speed-up | step, x on GPU 0 | speed-up | steps in "
      "flight | "
      "request | speed-up | of the executor's | requests/s | speed-up | of the executor's |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
      kUnderWay);
}

// A server for each world, so that models of others take no memory.
Result<void> BenchWorld(const Workload& work, int world, std::map<std::pair<int64_t, int>, Figures>& alone) {
  TRY_ASSIGN(const std::vector<ExecutorSpeed> speeds, MeasureExecutor(work, world));
  Repository repository;
  TRY(AddModels(repository, work, world));
  TRY_ASSIGN(const std::unique_ptr<TritonHost> host, TritonHost::Start(repository.path()));
  for (size_t s = 0; s < work.sizes.size(); ++s) {
    for (const int in_flight : {1, 2}) {
      const int64_t size = work.sizes[s];
      TRY_ASSIGN(Figures figures, Ask(*host, NameOf(work, world, in_flight), work, size));
      figures.in_place = speeds[s].in_place.median;
      figures.from_first = speeds[s].from_first.median;
      Figures& one = alone[{size, in_flight}];
      if (world == 1) one = figures;
      Print(work, size, world, in_flight, one, figures);
    }
  }
  return {};
}

}  // namespace

Result<void> BenchServedSpeed(const std::vector<int>& worlds) {
  PrintHead();
  for (const Workload& work : Workloads(worlds)) {
    std::map<std::pair<int64_t, int>, Figures> alone;
    for (const int world : worlds) TRY(BenchWorld(work, world, alone));
  }
  return {};
}

}  // namespace tessera::gputest
