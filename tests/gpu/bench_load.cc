// How long loading a model takes: the first of a process, again, and beside models that stay.
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sstream>

#include "tessera/base/log.h"
#include "tessera/comm/nccl/pool.h"
#include "tessera/cuda/device.h"
#include "tessera/cuda/status.h"
#include "tests/gpu/bench_data.h"
#include "tests/gpu/gpus.h"

namespace tessera::gputest {
namespace {

constexpr int kProcesses = 5;  // at most, of each start
constexpr int kAgain = 3;

struct Case {
  const char* name;
  Mlp (*of)(int world);
};

constexpr Case kCases[] = {
    {"0.27 GB in all",
     [](int) {
       return Mlp{4096, 16384, 4096, 128, 2048};
     }},
    {"1.07 GB a rank",
     [](int world) {
       return Mlp{16384, int64_t{16384} * world, 16384, 128, 2048};
     }},
    {"12.9 GB a rank", [](int world) { return Mlp{16384, int64_t{16384} * world, 16384, 128, 2048, 1, 11}; }},
};

// What there is when the first model of a process is loaded.
enum class Start { kNothing, kContexts, kConnected };
constexpr struct {
  Start start;
  const char* first_load;
} kStarts[] = {
    {Start::kNothing, "first of the process"},
    {Start::kContexts, "first, contexts there"},
    {Start::kConnected, "first, connected at the start"},
};

Result<void> Begin(Start start, const std::vector<DeviceId>& devices) {
  if (start == Start::kNothing) return {};
  for (const DeviceId device : devices) {
    TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(device));
    CUDA_TRY(cudaFree(nullptr));
  }
  if (start == Start::kConnected) {
    TRY(engine::ConnectGpus(devices));
    comm::NcclPool::OfProcess().AwaitSpares();
  }
  return {};
}

// "8x1024": so many threads, pieces of so many KB.
engine::ReadWays WaysOf(const char* text) {
  engine::ReadWays ways;
  (void)std::sscanf(text, "%zux%zu", &ways.lanes, &ways.piece);
  ways.piece <<= 10;
  return ways;
}

Result<void> TimeLoads(int world, int start, const std::filesystem::path& directory) {
  TRY_ASSIGN(const plan::Plan plan, plan::ReadPlan(directory));
  engine::TensorRtOptions options;
  options.devices = ListedGpus(world);
  options.map_plans = std::getenv("TESSERA_LOAD_MAPPED") != nullptr;
  if (const char* const ways = std::getenv("TESSERA_LOAD_WAYS")) options.read_ways = WaysOf(ways);
  TRY(Begin(kStarts[start].start, options.devices));
  const std::unique_ptr<engine::Engine> engine = engine::MakeTensorRtEngine(options);
  auto load = [&](const char* what) -> Result<std::unique_ptr<engine::RankGroup>> {
    const auto begin = std::chrono::steady_clock::now();
    TRY_ASSIGN(std::unique_ptr<engine::RankGroup> group, engine->Load(plan, directory, Soon()));
    std::printf("figure %s\t%.1f\n", what, MicrosSince(begin) / 1e3);
    std::fflush(stdout);  // a process that ends while GPUs are connected may end without
    return group;
  };
  std::vector<std::unique_ptr<engine::RankGroup>> stay(3);
  TRY_ASSIGN(stay[0], load(kStarts[start].first_load));
  if (kStarts[start].start != Start::kNothing) return {};
  TRY_ASSIGN(stay[1], load("beside it, at once"));
  comm::NcclPool::OfProcess().AwaitSpares();  // which every load has made, behind it
  TRY_ASSIGN(stay[2], load("beside them, later"));
  stay.clear();
  comm::NcclPool::OfProcess().AwaitSpares();
  for (int i = 0; i < kAgain; ++i) TRY(load("again"));
  return {};
}

// The parts of a load that the log tells of, in ms: of the slowest rank.
using Parts = std::map<std::string, double>;
constexpr const char* kOfWhich = " - ";  // between a load and one of its parts
using Figures = std::map<std::string, std::vector<double>>;

constexpr struct {
  const char* name;
  const char* before;  // what stands before the number
} kParts[] = {
    {"engines there", "engines loaded after "},
    {"communicators", " GPUs: communicators "},
    {"first collectives", ", first collectives "},
    {"GPUs connected", "GPUs connected after "},
};

void TakePart(const std::string& name, double value, Parts& parts) {
  auto [at, added] = parts.emplace(name, value);
  if (!added) at->second = std::max(at->second, value);
}

// "..., ms: runtime 3.1, plan 95.0": see engine::Laps.
void TakeLaps(const std::string& line, Parts& parts) {
  const size_t begin = line.find(", ms: ");
  if (begin == std::string::npos) return;
  std::istringstream laps(line.substr(begin + 6));
  for (std::string lap; std::getline(laps, lap, ',');) {
    const size_t number = lap.find_last_of(' ');
    const size_t name = lap.find_first_not_of(' ');
    if (number == std::string::npos || number <= name) continue;
    TakePart(lap.substr(name, number - name), std::atof(lap.c_str() + number), parts);
  }
}

// The line with a load's time comes behind those with its parts.
void TakeLine(const std::string& line, Parts& parts, Figures& figures) {
  char name[64];
  double value = 0;
  if (std::sscanf(line.c_str(), "figure %63[^\t]\t%lf", name, &value) == 2) {
    figures[name].push_back(value);
    for (const auto& [part, time] : parts) figures[name + std::string(kOfWhich) + part].push_back(time);
    parts.clear();
    return;
  }
  TakeLaps(line, parts);
  for (const auto& part : kParts) {
    const size_t at = line.find(part.before);
    if (at != std::string::npos)
      TakePart(part.name, std::atof(line.c_str() + at + std::strlen(part.before)), parts);
  }
}

// Adds what a process of its own printed.
Result<void> RunProcess(int world, int start, const std::filesystem::path& directory, Figures& figures) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  const std::string command =
      fmt::format("'{}' load_once {} {} '{}' 2>&1", program, world, start, directory.string());
  std::fflush(stdout);
  std::FILE* const output = popen(command.c_str(), "r");
  if (output == nullptr) return Fail(Code::kInternal, "cannot run {}", command);
  char line[1024];
  std::string said;  // what may tell why it fails
  Parts parts;
  while (std::fgets(line, sizeof(line), output) != nullptr) {
    std::fputs(line[0] == '[' ? line : "", stderr);
    TakeLine(line, parts, figures);
    said += line;
  }
  const int status = pclose(output);
  if (status == 0) return {};
  return Fail(Code::kInternal, "{}: exit code {}:\n{}", command,
              WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), said);
}

Result<void> BenchModel(const Case& model, int world, std::chrono::seconds limit) {
  const TempDirectory directory;
  TRY_ASSIGN(const plan::Plan plan, WriteMlp(model.of(world), world, directory.path()));
  TRY(CompletePlan(plan, directory.path()));
  Figures figures;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kProcesses && std::chrono::steady_clock::now() - begin < limit; ++i) {
    for (int start = 0; start < static_cast<int>(std::size(kStarts)); ++start) {
      if (world == 1 && kStarts[start].start == Start::kConnected) continue;
      TRY(RunProcess(world, start, directory.path(), figures));
    }
  }
  for (const auto& [what, values] : figures) {
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    if (*most < 0.5 && what.find(kOfWhich) != std::string::npos) continue;
    std::printf("| %s | %d | %s | %.0f (%.0f .. %.0f) | %zu |\n", model.name, world, what.c_str(),
                SpreadOf(values).median, *least, *most, values.size());
  }
  std::fflush(stdout);
  return {};
}

}  // namespace

int LoadOnce(int argc, char** argv) {
  SetLogLevel(LogLevel::kDebug);  // the parts of a load
  if (argc != 3) return 2;
  const Result<void> done = TimeLoads(std::atoi(argv[0]), std::atoi(argv[1]), argv[2]);
  if (!done) std::fprintf(stderr, "load_once: %s\n", done.error().ToString().c_str());
  return done ? 0 : 1;
}

// $TESSERA_LOAD_SECONDS: how long processes are begun for one model on as many GPUs; 30 without.
// $TESSERA_LOAD_MODEL: the only one. $TESSERA_LOAD_MAPPED: plans are mapped, see TensorRtOptions::map_plans.
// $TESSERA_LOAD_WAYS: how they are read, see WaysOf.
Result<void> BenchLoad(const std::vector<int>& worlds) {
  const char* const asked = std::getenv("TESSERA_LOAD_SECONDS");
  const std::chrono::seconds limit{asked == nullptr ? 30 : std::atoi(asked)};
  std::printf(
      "\nloading an MLP, ms: median (least .. most)\n| weights | GPUs | load | time | loads "
      "|\n|---|---|---|---|---|\n");
  const char* const only = std::getenv("TESSERA_LOAD_MODEL");
  for (const Case& model : kCases) {
    if (only != nullptr && std::strcmp(only, model.name) != 0) continue;
    for (const int world : worlds) TRY(BenchModel(model, world, limit));
  }
  return {};
}

}  // namespace tessera::gputest
