// How fast a plan's bytes get from a file to the GPUs: mapped, or read by several threads through pinned
// memory.
#include <sys/mman.h>
#include <unistd.h>

#include <barrier>
#include <cstdio>
#include <functional>
#include <future>

#include "tessera/base/file.h"
#include "tessera/cuda/device.h"
#include "tessera/cuda/memory.h"
#include "tessera/cuda/status.h"
#include "tessera/cuda/stream.h"
#include "tessera/engine/tensorrt/plan_reader.h"
#include "tests/gpu/bench.h"
#include "tests/gpu/gpus.h"
#include "tests/gpu/models.h"

namespace tessera::gputest {
namespace {

constexpr size_t kBytes = size_t{1} << 30;
constexpr int kRounds = 5;

// A GPU with memory for a file of its own.
struct Target {
  std::filesystem::path file;
  DeviceId device;
  cuda::DeviceBuffer memory;
  cuda::Stream stream;
};

Result<Target> MakeTarget(const std::filesystem::path& file, DeviceId device) {
  TRY_ASSIGN(cuda::DeviceBuffer memory, cuda::DeviceBuffer::Create(device, kBytes));
  TRY_ASSIGN(cuda::Stream stream, cuda::Stream::Create(device));
  return Target{file, device, std::move(memory), std::move(stream)};
}

Result<void> WriteRandom(const std::filesystem::path& file, unsigned seed) {
  const std::vector<uint16_t> halves = RandomHalves(kBytes / 2, seed, 1.0F);
  return WriteFileAtomically(file, {reinterpret_cast<const char*>(halves.data()), kBytes});
}

// As a library does that finds the plan in memory.
Result<void> Mapped(const Target& target, bool populate) {
  TRY_ASSIGN(const std::shared_ptr<const MappedFile> mapped, MappedFile::Open(target.file));
  const Bytes bytes = mapped->bytes();
  if (populate && madvise(const_cast<std::byte*>(bytes.data()), bytes.size(), MADV_POPULATE_READ) != 0) {
    return Fail(Code::kUnsupported, "the kernel does not populate");
  }
  CUDA_TRY(cudaMemcpy(target.memory.data(), bytes.data(), bytes.size(), cudaMemcpyHostToDevice));
  return {};
}

Result<void> Read(const Target& target, const engine::ReadWays& ways) {
  TRY_ASSIGN(const std::unique_ptr<engine::PlanReader> reader,
             engine::PlanReader::Open(target.file, target.device, ways));
  (void)reader->read(target.memory.data(), kBytes, target.stream.get());
  return reader->Finish();
}

Result<void> MakeMemory(const Target& target) {
  TRY_ASSIGN(const cuda::DeviceBuffer memory, cuda::DeviceBuffer::Create(target.device, kBytes));
  return {};
}

Result<void> MakePinned(const Target& /*target*/) {
  TRY_ASSIGN(const cuda::PinnedBuffer memory, cuda::PinnedBuffer::Create(size_t{32} << 20));
  return {};
}

struct Way {
  std::string name;
  std::function<Result<void>(const Target&)> run;
};

std::vector<Way> Ways() {
  std::vector<Way> ways{
      {"mapped, copied by cudaMemcpy", [](const Target& t) { return Mapped(t, false); }},
      {"mapped, populated, copied by cudaMemcpy", [](const Target& t) { return Mapped(t, true); }},
  };
  for (const size_t lanes : {1, 2, 4, 8, 12}) {
    for (const size_t kilobytes : {512, 1024, 2048, 4096}) {
      if (lanes < 4 && kilobytes != 1024) continue;
      engine::ReadWays read;
      read.lanes = lanes;
      read.piece = kilobytes << 10;
      ways.push_back({fmt::format("read, {} threads, pieces of {} KB", lanes, kilobytes),
                      [read](const Target& t) { return Read(t, read); }});
    }
  }
  ways.push_back({"(1 GB of memory of the GPU made and freed)", MakeMemory});
  ways.push_back({"(32 MB of pinned memory made and freed)", MakePinned});
  return ways;
}

// Until the last GPU has its file.
Result<double> TimeAll(const std::vector<Target>& targets, const Way& way) {
  std::barrier begin(static_cast<std::ptrdiff_t>(targets.size()) + 1);
  std::vector<std::future<Result<void>>> all;
  for (const Target& target : targets) {
    all.push_back(std::async(std::launch::async, [&]() -> Result<void> {
      const Result<cuda::DeviceGuard> guard = cuda::DeviceGuard::Enter(target.device);
      begin.arrive_and_wait();
      if (!guard) return tl::unexpected<Error>(guard.error());
      return way.run(target);
    }));
  }
  begin.arrive_and_wait();
  const auto start = std::chrono::steady_clock::now();
  for (auto& one : all) TRY(one.get());
  return MicrosSince(start);
}

Result<void> BenchWorld(int world) {
  const TempDirectory directory;
  std::vector<Target> targets;
  for (int r = 0; r < world; ++r) {
    const std::filesystem::path file = directory.path() / fmt::format("plan.rank{}", r);
    TRY(WriteRandom(file, static_cast<unsigned>(r)));
    TRY_ASSIGN(Target target, MakeTarget(file, ListedGpus(world)[static_cast<size_t>(r)]));
    targets.push_back(std::move(target));
  }
  for (const Way& way : Ways()) {
    std::vector<double> times;
    for (int i = 0; i < kRounds + 1; ++i) {
      const Result<double> time = TimeAll(targets, way);
      if (!time) {
        std::printf("| %d | %s | %s |\n", world, way.name.c_str(), time.error().message.c_str());
        break;
      }
      if (i > 0) times.push_back(*time / 1e3);
    }
    if (times.empty()) continue;
    const auto [least, most] = std::minmax_element(times.begin(), times.end());
    std::printf("| %d | %s | %.1f (%.1f .. %.1f) |\n", world, way.name.c_str(), SpreadOf(times).median,
                *least, *most);
    std::fflush(stdout);
  }
  return {};
}

}  // namespace

Result<void> BenchRead(const std::vector<int>& worlds) {
  std::printf(
      "\na file of 1 GB to each GPU, all at the same time, ms: median (least .. most) of %d\n"
      "| GPUs | way | time |\n|---|---|---|\n",
      kRounds);
  for (const int world : worlds) TRY(BenchWorld(world));
  return {};
}

}  // namespace tessera::gputest
