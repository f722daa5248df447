// What a probe at load finds, beside what steps then take.
#include <cstdio>

#include "tessera/cuda/nvlink.h"
#include "tessera/engine/tensorrt/replication_probe.h"
#include "tests/gpu/bench_data.h"
#include "tests/gpu/gpus.h"

namespace tessera::gputest {
namespace {

using engine::ReplicationWay;

// The time of a step whose whole input of `bytes` all ranks need.
Result<Spread> TimeWay(ReplicationWay way, size_t bytes, int world) {
  constexpr int64_t kColumns = 1024;
  const auto rows = static_cast<int64_t>(bytes / sizeof(float)) / kColumns;
  engine::TensorRtOptions options;
  options.replication = way;
  options.gather_from = 1;
  TRY_ASSIGN(const cuda::PinnedBuffer x, cuda::PinnedBuffer::Create(bytes));
  auto write = [&](const std::filesystem::path& directory) {
    return WriteFirstRow(rows, kColumns, world, directory);
  };
  TRY_ASSIGN(const std::unique_ptr<Served> served, Serve(world, write, options));
  Taker taker;
  const ConstRegion source = PinnedRegion(x.bytes());
  const engine::Step step =
      Common({TensorView{DType::kFloat32, {rows, kColumns}, source}}, world, taker, Soon());
  TRY_ASSIGN(const std::vector<Spread> spread,
             Measure(5, 40, [&] { return TimeStep(*served->group, step); }));
  return spread[0];
}

Result<std::vector<engine::ReplicationTime>> Probed(int world) {
  const std::vector<DeviceId> gpus = FirstGpus(world);
  TRY_ASSIGN(const std::shared_ptr<engine::Peers> peers, engine::Peers::Connect(gpus, false, Soon(), {}));
  TRY_ASSIGN(const std::unique_ptr<engine::RankThreads> threads, engine::RankThreads::Create(gpus));
  const auto start = std::chrono::steady_clock::now();
  TRY_ASSIGN(std::vector<engine::ReplicationTime> times,
             engine::ProbeReplication(peers, *threads, gpus, Soon()));
  const size_t from = engine::FasterGatheredFrom(times);
  const bool linked = !engine::FirstNotLinked(gpus, cuda::HasNvLink);
  std::printf("%d GPUs, %s: probed in %.0f ms, slices and an all-gather %s\n", world,
              linked ? "NVLink between all" : "no NVLink known between all", MicrosSince(start) / 1000,
              from == SIZE_MAX ? "never" : ("from " + engine::SizeText(from) + " on").c_str());
  return times;
}

}  // namespace

Result<void> BenchProbe(const std::vector<int>& worlds) {
  std::printf("\nWhat a probe finds (us, the best of 5) and what steps take (us, median / p99)\n");
  for (const int world : worlds) {
    if (world == 1) continue;
    TRY_ASSIGN(const std::vector<engine::ReplicationTime> times, Probed(world));
    std::printf(
        "| size | probe: a copy each | all-gather | step: a copy each | all-gather "
        "|\n|---|---|---|---|---|\n");
    for (const engine::ReplicationTime& time : times) {
      TRY_ASSIGN(const Spread copies, TimeWay(ReplicationWay::kCopies, time.bytes, world));
      TRY_ASSIGN(const Spread gather, TimeWay(ReplicationWay::kGather, time.bytes, world));
      std::printf("| %s | %.0f | %.0f | %.0f / %.0f | %.0f / %.0f |\n", engine::SizeText(time.bytes).c_str(),
                  Micros(time.copies), Micros(time.gather), copies.median, copies.p99, gather.median,
                  gather.p99);
    }
  }
  return {};
}

}  // namespace tessera::gputest
