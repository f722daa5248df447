// How long loading a model takes: the first of a process, again, and beside a model that stays.
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "tessera/base/log.h"
#include "tessera/cuda/device.h"
#include "tessera/cuda/status.h"
#include "tests/gpu/bench_data.h"
#include "tests/gpu/gpus.h"

namespace tessera::gputest {
namespace {

constexpr int kProcesses = 5;
constexpr int kAgain = 3;

struct Case {
  const char* name;
  Mlp (*of)(int world);
};

// Of two matrices; a file of one rank stays below ONNX's 2 GB.
constexpr Case kCases[] = {
    {"0.27 GB in all",
     [](int) {
       return Mlp{4096, 16384, 4096, 128, 2048};
     }},
    {"1.88 GB in all",
     [](int) {
       return Mlp{16384, 28672, 16384, 128, 2048};
     }},
    {"1.07 GB a rank",
     [](int world) {
       return Mlp{16384, int64_t{16384} * world, 16384, 128, 2048};
     }},
};

// What a server has made when it loads a model: a context on each GPU.
Result<void> MakeContexts(const std::vector<DeviceId>& devices) {
  for (const DeviceId device : devices) {
    TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(device));
    CUDA_TRY(cudaFree(nullptr));
  }
  return {};
}

Result<void> TimeLoads(int world, bool has_contexts, const std::filesystem::path& directory) {
  TRY_ASSIGN(const plan::Plan plan, plan::ReadPlan(directory));
  engine::TensorRtOptions options;
  options.devices = ListedGpus(world);
  if (has_contexts) TRY(MakeContexts(options.devices));
  const std::unique_ptr<engine::Engine> engine = engine::MakeTensorRtEngine(options);
  auto load = [&](const char* what) -> Result<std::unique_ptr<engine::RankGroup>> {
    const auto start = std::chrono::steady_clock::now();
    TRY_ASSIGN(std::unique_ptr<engine::RankGroup> group, engine->Load(plan, directory, Soon()));
    std::printf("figure %s\t%.1f\n", what, MicrosSince(start) / 1e3);
    return group;
  };
  TRY(load(has_contexts ? "first, contexts there" : "first of the process"));
  if (has_contexts) return {};
  for (int i = 0; i < kAgain; ++i) TRY(load("again"));
  TRY_ASSIGN(const std::unique_ptr<engine::RankGroup> stays, load("again"));
  TRY(load("beside another"));
  return {};
}

using Figures = std::map<std::string, std::vector<double>>;

// Adds what a process of its own printed.
Result<void> RunProcess(int world, bool has_contexts, const std::filesystem::path& directory,
                        Figures& figures) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  const std::string command =
      fmt::format("'{}' load_once {} {} '{}'", program, world, has_contexts ? 1 : 0, directory.string());
  std::fflush(stdout);
  std::FILE* const output = popen(command.c_str(), "r");
  if (output == nullptr) return Fail(Code::kInternal, "cannot run {}", command);
  char line[256];
  while (std::fgets(line, sizeof(line), output) != nullptr) {
    char name[64];
    double value = 0;
    if (std::sscanf(line, "figure %63[^\t]\t%lf", name, &value) == 2) figures[name].push_back(value);
  }
  const int status = pclose(output);
  if (status == 0) return {};
  return Fail(Code::kInternal, "{}: exit code {}", command,
              WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

}  // namespace

int LoadOnce(int argc, char** argv) {
  SetLogLevel(LogLevel::kDebug);  // the parts of a load
  if (argc != 3) return 2;
  const Result<void> done = TimeLoads(std::atoi(argv[0]), std::atoi(argv[1]) != 0, argv[2]);
  if (!done) std::fprintf(stderr, "load_once: %s\n", done.error().ToString().c_str());
  return done ? 0 : 1;
}

Result<void> BenchLoad(const std::vector<int>& worlds) {
  std::printf(
      "\nloading an MLP, ms: median (least .. most) of %d processes\n"
      "| weights | GPUs | load | time |\n|---|---|---|---|\n",
      kProcesses);
  for (const Case& model : kCases) {
    for (const int world : worlds) {
      const TempDirectory directory;
      TRY_ASSIGN(const plan::Plan plan, WriteMlp(model.of(world), world, directory.path()));
      TRY(CompletePlan(plan, directory.path()));
      Figures figures;
      for (int i = 0; i < kProcesses; ++i) {
        for (const bool has_contexts : {false, true})
          TRY(RunProcess(world, has_contexts, directory.path(), figures));
      }
      for (const auto& [what, values] : figures) {
        const auto [least, most] = std::minmax_element(values.begin(), values.end());
        std::printf("| %s | %d | %s | %.0f (%.0f .. %.0f) |\n", model.name, world, what.c_str(),
                    SpreadOf(values).median, *least, *most);
      }
      std::fflush(stdout);
    }
  }
  return {};
}

}  // namespace tessera::gputest
