// served_bench [NAME ..]: what a real Triton server adds to the executor, with requests and answers on a GPU.
// The server runs in this process (triton_host.h says what the environment names); both run the same engine.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <thread>

#include "tessera/exec/executor.h"
#include "tests/gpu/bench_data.h"
#include "tests/gpu/gpus.h"
#include "tests/gpu/run_benches.h"
#include "tests/gpu/served_bench_data.h"
#include "tests/gpu/served_speed.h"
#include "tests/gpu/triton_host.h"

namespace tessera::gputest {
namespace {

namespace fs = std::filesystem;

// What the executor needs for a step, and how many a second it runs back to back.
struct Floor {
  Spread step;
  Spread started;  // by Start
  double rate = 0;
};

Result<Floor> FloorOf(exec::Executor& executor, const Request& request) {
  const Once once = [&]() -> Result<void> {
    TRY(TimeInfer(executor, request));
    return {};
  };
  Floor floor;
  TRY_ASSIGN(floor.step, TimeOf(once));
  TRY_ASSIGN(floor.started, TimeOf([&]() -> Result<void> {
               TRY(TimeStart(executor, request));
               return {};
             }));
  TRY_ASSIGN(floor.rate, RateOf({once}, 1.0));
  return floor;
}

Result<std::vector<Floor>> FloorsOf(const fs::path& version, const std::vector<DeviceId>& gpus,
                                    const Mlp& mlp, const std::vector<int64_t>& sizes) {
  engine::TensorRtOptions options;
  options.devices = gpus;
  const std::unique_ptr<engine::Engine> engine = engine::MakeTensorRtEngine(options);
  exec::Options execution;
  execution.model_files.clear();
  for (size_t r = 0; r < gpus.size(); ++r)
    execution.model_files.push_back("model.plan.rank" + std::to_string(r));
  TRY_ASSIGN(const std::unique_ptr<exec::Executor> executor,
             exec::Executor::Create(version, *engine, execution));
  std::vector<Floor> floors;
  for (const int64_t m : sizes) {
    TRY_ASSIGN(const std::unique_ptr<Buffers> buffers, MakeBuffers("", {m, mlp.k}, {m, mlp.n}, gpus.front()));
    TRY_ASSIGN(const Floor floor, FloorOf(*executor, buffers->request));
    floors.push_back(floor);
  }
  return floors;
}

Result<double> ComputeInfer(TritonHost& host, const std::string& model, const Computed& before) {
  TRY_ASSIGN(const Computed after, host.Statistics(model));
  return (after.microseconds - before.microseconds) / std::max(1.0, after.count - before.count);
}

// The server's figures beside the floor's.
Result<void> PrintServed(TritonHost& host, const std::string& model, int world, int in_flight, int64_t m,
                         const Mlp& mlp, DeviceId gpu, const Floor& floor) {
  constexpr size_t kConcurrency = 4;
  std::vector<std::unique_ptr<Buffers>> buffers;
  std::vector<Once> callers;
  for (size_t i = 0; i < kConcurrency; ++i) {
    TRY_ASSIGN(std::unique_ptr<Buffers> made, MakeBuffers(model, {m, mlp.k}, {m, mlp.n}, gpu));
    callers.emplace_back([&host, request = &made->request] { return host.Infer(*request); });
    buffers.push_back(std::move(made));
  }
  TRY_ASSIGN(const Spread warm, TimeOf(callers.front()));
  (void)warm;
  TRY_ASSIGN(const Computed before, host.Statistics(model));
  TRY_ASSIGN(const Spread request, TimeOf(callers.front()));
  TRY_ASSIGN(const double compute, ComputeInfer(host, model, before));
  TRY_ASSIGN(const double rate, RateOf(callers, 1.0));
  const double limit = floor.step.median * 1.15 + 20;
  std::printf(
      "| %s | %ld | %.1f / %.1f | %.1f / %.1f | %d | %.1f / %.1f | %.1f | %.1f (%s) | %.0f | %.0f | %.1f%% "
      "|\n",
      WorldLabel(world).c_str(), m, floor.step.median, floor.step.p99, floor.started.median,
      floor.started.p99, in_flight, request.median, request.p99, request.median - floor.step.median, compute,
      compute <= limit ? "within" : "BEYOND", floor.rate, rate, 100 * rate / floor.rate);
  return {};
}

void PrintHead(const char* title, const Mlp& mlp) {
  std::printf(
      "\n%s: MLP %ld -> %ld -> %ld fp16, in-process server, x and y on rank 0's GPU; us, median / p99\n"
      "| GPUs | M | executor's step | the same by Start | steps in flight | request | over the executor | "
      "compute_infer (limit: 15%% + 20 us over "
      "the "
      "step) | executor's steps/s | requests/s, 4 under way | of the executor's |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|\n",
      title, mlp.k, mlp.f, mlp.n);
}

std::function<Result<void>(const fs::path&)> Writing(const Mlp& mlp, int ranks) {
  return [mlp, ranks](const fs::path& directory) -> Result<void> {
    TRY(WriteMlp(mlp, ranks, directory));
    return {};
  };
}

std::string NameOf(int world, int in_flight) {
  return "on" + std::to_string(world) + "_" + std::to_string(in_flight);
}

// The same files with one and with two steps in flight.
Result<void> BenchModel(const char* title, const Mlp& mlp, const std::vector<int64_t>& sizes,
                        const std::vector<int>& worlds) {
  Repository repository;
  std::vector<std::vector<Floor>> floors;
  for (const int world : worlds) {
    const std::string name = NameOf(world, 1);
    Configuration configuration = Ranks(mlp, FirstGpus(world));
    configuration.parameters["steps_in_flight"] = "1";
    TRY(repository.Add(name, configuration, Writing(mlp, world)));
    configuration.parameters["steps_in_flight"] = "2";
    TRY(repository.AddSame(NameOf(world, 2), name, configuration));
    TRY_ASSIGN(std::vector<Floor> own, FloorsOf(repository.version(name), FirstGpus(world), mlp, sizes));
    floors.push_back(std::move(own));
  }
  TRY_ASSIGN(const std::unique_ptr<TritonHost> host, TritonHost::Start(repository.path()));
  PrintHead(title, mlp);
  for (size_t w = 0; w < worlds.size(); ++w) {
    for (size_t s = 0; s < sizes.size(); ++s) {
      for (const int in_flight : {1, 2}) {
        TRY(PrintServed(*host, NameOf(worlds[w], in_flight), worlds[w], in_flight, sizes[s], mlp,
                        Gpus().front(), floors[w][s]));
      }
    }
  }
  return {};
}

Result<void> BenchChain(const std::vector<int>& worlds) {
  return BenchModel("chain", Mlp{4096, 16384, 4096, 128, 2048}, {1, 128, 2048}, worlds);
}

Result<void> BenchSmall(const std::vector<int>& worlds) {
  return BenchModel("small", Mlp{256, 512, 256, 128, 128}, {128}, worlds);
}

// Two models, each on half of the GPUs, alone and at the same time.
Result<void> BenchDisjoint(const std::vector<int>& worlds) {
  const int half = worlds.back() / 2;
  if (half == 0) {
    std::printf("\ndisjoint: not run, one GPU\n");
    return {};
  }
  const Mlp mlp{4096, 16384, 4096, 128, 2048};
  const std::vector<DeviceId> all = FirstGpus(worlds.back());
  const std::vector<DeviceId> first(all.begin(), all.begin() + half);
  const std::vector<DeviceId> second(all.begin() + half, all.end());
  Repository repository;
  TRY(repository.Add("first", Ranks(mlp, first), Writing(mlp, half)));
  TRY(repository.AddSame("second", "first", Ranks(mlp, second)));
  TRY_ASSIGN(const std::unique_ptr<TritonHost> host, TritonHost::Start(repository.path()));
  std::printf(
      "\ndisjoint: two models of %d GPUs each, M = 2048, one request under way each; requests/s\n"
      "| model | alone | while the other runs | of alone |\n|---|---|---|---|\n",
      half);
  const Shape x = {2048, mlp.k};
  const Shape y = {2048, mlp.n};
  TRY_ASSIGN(const std::unique_ptr<Buffers> on_first, MakeBuffers("first", x, y, first.front()));
  TRY_ASSIGN(const std::unique_ptr<Buffers> on_second, MakeBuffers("second", x, y, second.front()));
  const Once calls[] = {[&] { return host->Infer(on_first->request); },
                        [&] { return host->Infer(on_second->request); }};
  for (int which = 0; which < 2; ++which) {
    TRY_ASSIGN(const double alone, RateOf({calls[which]}, 1.5));
    std::atomic<bool> stop{false};
    Result<void> other;
    std::thread neighbour([&] {
      while (!stop.load() && other) other = calls[1 - which]();
    });
    const Result<double> together = RateOf({calls[which]}, 1.5);
    stop.store(true);
    neighbour.join();
    TRY(std::move(other));
    if (!together) return tl::unexpected<Error>(together.error());
    std::printf("| %s | %.0f | %.0f | %.1f%% |\n", which == 0 ? "first" : "second", alone, *together,
                100 * *together / alone);
  }
  return {};
}

}  // namespace
}  // namespace tessera::gputest

int main(int argc, char** argv) {
  using namespace tessera::gputest;
  return RunBenches(argc, argv,
                    {{"chain", BenchChain},
                     {"small", BenchSmall},
                     {"disjoint", BenchDisjoint},
                     {"speed", BenchServedSpeed}});
}
