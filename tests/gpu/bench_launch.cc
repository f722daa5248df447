// What issuing a small collective on every GPU costs: by one thread, and by a thread of each GPU that spins.
#include <cuda_runtime_api.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "tessera/base/log.h"
#include "tessera/comm/nccl/pool.h"
#include "tessera/cuda/device.h"
#include "tessera/cuda/graph.h"
#include "tessera/cuda/memory.h"
#include "tessera/cuda/status.h"
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
    TRY_ASSIGN(cuda::Graph graph, cuda::Graph::Capture(stream, [&]() -> Result<void> {
                 const ncclResult_t issued = ncclAllReduce(buffer.data(), buffer.data(), kCount, ncclHalf,
                                                           ncclSum, group.comm(Rank(r)), stream.get());
                 if (issued != ncclSuccess) return Fail(Code::kInternal, "{}", ncclGetErrorString(issued));
                 return {};
               }));
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
Result<std::vector<double>> ByOneThread(const std::vector<Lane>& lanes) {
  const auto start = std::chrono::steady_clock::now();
  for (const Lane& lane : lanes) TRY(LaunchOn(lane));
  const double launched = MicrosSince(start);
  TRY(WaitForAll(lanes));
  return std::vector<double>{launched, MicrosSince(start)};
}

// Launches all lanes but the first, each from a thread of its own that never sleeps.
class Spinners {
 public:
  explicit Spinners(const std::vector<Lane>& lanes) {
    for (size_t r = 1; r < lanes.size(); ++r)
      threads_.emplace_back([this, &lane = lanes[r]] { Serve(lane); });
  }
  ~Spinners() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  Result<void> LaunchWith(const Lane& first) {
    launched_ = 0;
    ++round_;
    TRY(LaunchOn(first));
    while (launched_ != static_cast<int>(threads_.size()) && !failed_) {
    }
    if (failed_) return Fail(Code::kInternal, "a launch failed");
    return {};
  }

 private:
  void Serve(const Lane& lane) {
    (void)cudaSetDevice(lane.stream.device().value());
    for (int seen = 0; !stop_;) {
      if (round_ == seen) continue;
      seen = round_;
      if (!LaunchOn(lane)) failed_ = true;
      ++launched_;
    }
  }
  std::atomic<bool> stop_{false};
  std::atomic<bool> failed_{false};
  std::atomic<int> round_{0};
  std::atomic<int> launched_{0};
  std::vector<std::thread> threads_;
};

void Print(int world, const char* by, const std::vector<Spread>& spread) {
  std::printf("| %d | %s | %.1f / %.1f | %.1f / %.1f |\n", world, by, spread[0].median, spread[0].p99,
              spread[1].median, spread[1].p99);
}

}  // namespace

Result<void> BenchLaunch(const std::vector<int>& worlds) {
  SetLogLevel(LogLevel::kDebug);  // what is in the graphs
  std::printf(
      "\nan 8 KB all-reduce as a CUDA graph on every GPU; us, median / p99\n"
      "| GPUs | launched by | launches | step |\n|---|---|---|---|\n");
  for (const int world : worlds) {
    if (world == 1 || !HasOwnGpus(world)) continue;
    TRY_ASSIGN(const std::shared_ptr<comm::NcclGroup> group,
               comm::NcclPool::OfProcess().Take(FirstGpus(world), Soon()));
    TRY_ASSIGN(const std::vector<Lane> lanes, MakeLanes(*group));
    TRY_ASSIGN(const std::vector<Spread> one, Measure(100, 2000, [&] { return ByOneThread(lanes); }));
    Print(world, "one thread", one);
    Spinners spinners(lanes);
    auto together = [&]() -> Result<std::vector<double>> {
      const auto start = std::chrono::steady_clock::now();
      TRY(spinners.LaunchWith(lanes.front()));
      const double launched = MicrosSince(start);
      TRY(WaitForAll(lanes));
      return std::vector<double>{launched, MicrosSince(start)};
    };
    TRY_ASSIGN(const std::vector<Spread> all, Measure(100, 2000, together));
    Print(world, "spinning threads", all);
  }
  return {};
}

}  // namespace tessera::gputest
