// What issuing a small collective on every GPU costs: to the thread that runs the step alone, and with
// helpers.
#include <cuda_runtime_api.h>

#include <cstdio>

#include "tessera/base/log.h"
#include "tessera/comm/nccl/pool.h"
#include "tessera/cuda/device.h"
#include "tessera/cuda/graph.h"
#include "tessera/cuda/memory.h"
#include "tessera/cuda/status.h"
#include "tessera/engine/launch_team.h"
#include "tests/gpu/bench_data.h"
#include "tests/gpu/gpus.h"

namespace tessera::gputest {
namespace {

constexpr size_t kCount = 4096;  // fp16 values: a row of the MLP's output

struct Lane {
  cuda::Stream stream;
  cuda::DeviceBuffer buffer;
  cuda::Graph graph;
};

Result<std::vector<Lane>> MakeLanes(comm::NcclGroup& group) {
  std::vector<Lane> lanes;
  for (int r = 0; r < group.world_size(); ++r) {
    const DeviceId device = group.device(Rank(r));
    TRY_ASSIGN(cuda::Stream stream, cuda::Stream::Create(device, cuda::Stream::Priority::kHigh));
    TRY_ASSIGN(cuda::DeviceBuffer buffer, cuda::DeviceBuffer::Create(device, kCount * 2));
    auto sum = [&]() -> Result<void> {
      const ncclResult_t issued = ncclAllReduce(buffer.data(), buffer.data(), kCount, ncclHalf, ncclSum,
                                                group.comm(Rank(r)), stream.get());
      if (issued != ncclSuccess) return Fail(Code::kInternal, "{}", ncclGetErrorString(issued));
      return {};
    };
    TRY_ASSIGN(cuda::Graph graph, cuda::Graph::Capture(stream, sum, cuda::Graph::Objects::kApart));
    lanes.push_back(Lane{std::move(stream), std::move(buffer), std::move(graph)});
  }
  return lanes;
}

Result<void> LaunchOn(const Lane& lane) {
  TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(lane.stream.device()));
  return lane.graph.Launch(lane.stream);
}

Result<void> WaitForAll(const std::vector<Lane>& lanes) {
  for (const Lane& lane : lanes) CUDA_TRY(cudaStreamSynchronize(lane.stream.get()));
  return {};
}

// The launches, and the step to its end on every GPU; microseconds.
Result<std::vector<double>> StepOf(const std::vector<Lane>& lanes, engine::LaunchTeam& team) {
  const auto start = std::chrono::steady_clock::now();
  TRY(team.Run([&](Rank rank) { return LaunchOn(lanes[static_cast<size_t>(rank.value())]); }, Soon()));
  const double launched = MicrosSince(start);
  TRY(WaitForAll(lanes));
  return std::vector<double>{launched, MicrosSince(start)};
}

Result<void> BenchWith(int helpers, const std::vector<Lane>& lanes) {
  const int world = static_cast<int>(lanes.size());
  TRY_ASSIGN(const std::unique_ptr<engine::LaunchTeam> team,
             engine::LaunchTeam::Create(world, {helpers}, [&](Rank rank) -> Result<void> {
               CUDA_TRY(cudaSetDevice(lanes[static_cast<size_t>(rank.value())].stream.device().value()));
               return {};
             }));
  TRY_ASSIGN(const std::vector<Spread> spread, Measure(100, 2000, [&] { return StepOf(lanes, *team); }));
  std::printf("| %s | %d | %.1f / %.1f | %.1f / %.1f |\n", WorldLabel(world).c_str(), helpers,
              spread[0].median, spread[0].p99, spread[1].median, spread[1].p99);
  return {};
}

}  // namespace

Result<void> BenchLaunch(const std::vector<int>& worlds) {
  SetLogLevel(LogLevel::kDebug);  // what is in the graphs
  std::printf(
      "\nan 8 KB all-reduce as a CUDA graph on every GPU; us, median / p99\n"
      "| GPUs | helpers | launches | step |\n|---|---|---|---|\n");
  for (const int world : worlds) {
    if (world == 1) continue;
    TRY_ASSIGN(const std::shared_ptr<comm::NcclGroup> group,
               comm::NcclPool::OfProcess().Take(FirstGpus(world), Soon()));
    TRY_ASSIGN(const std::vector<Lane> lanes, MakeLanes(*group));
    for (int helpers = 0; helpers < world; ++helpers) TRY(BenchWith(helpers, lanes));
  }
  return {};
}

}  // namespace tessera::gputest
