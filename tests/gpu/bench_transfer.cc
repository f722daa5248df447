// Bringing one input to every GPU.
#include <cstdio>

#include "tessera/cuda/copy.h"
#include "tessera/cuda/stream.h"
#include "tests/gpu/bench_data.h"
#include "tests/gpu/gpus.h"

namespace tessera::gputest {

Result<void> BenchReplicate(const std::vector<int>& worlds) {
  constexpr int64_t kRows = 4096;
  constexpr int64_t kColumns = 4096;
  constexpr size_t kBytes = kRows * kColumns * sizeof(float);
  std::printf(
      "\n64 MB from pinned host memory whole to every GPU, as the input of a step; us, median / p99\n");
  TRY_ASSIGN(cuda::PinnedBuffer pinned, cuda::PinnedBuffer::Create(kBytes));
  auto* values = reinterpret_cast<float*>(pinned.data());
  for (size_t i = 0; i < kBytes / sizeof(float); ++i) values[i] = static_cast<float>(i % 8191);
  const ConstRegion source = PinnedRegion(pinned.bytes());
  TRY_ASSIGN(cuda::DeviceBuffer target, cuda::DeviceBuffer::Create(Gpus()[0], kBytes));
  TRY_ASSIGN(const cuda::Stream stream, cuda::Stream::Create(Gpus()[0]));
  auto plain = [&]() -> Result<std::vector<double>> {
    const auto start = std::chrono::steady_clock::now();
    TRY(cuda::CopyAsync(source, DeviceRegion(target.bytes(), Gpus()[0]), stream));
    TRY(stream.Drain(Soon()));
    return std::vector<double>{MicrosSince(start)};
  };
  TRY_ASSIGN(const std::vector<Spread> one, Measure(5, 40, plain));
  std::printf(
      "one plain copy to GPU 0: %.0f / %.0f\n| GPUs | slices + all-gather | of a plain copy | a copy each | "
      "\n"
      "|---|---|---|---|\n",
      one[0].median, one[0].p99);
  for (const int world : worlds) {
    std::vector<Spread> ways;
    for (const auto way : {engine::ReplicationWay::kGather, engine::ReplicationWay::kCopies}) {
      engine::TensorRtOptions options;
      options.replication = way;
      auto write = [&](const std::filesystem::path& directory) {
        return WriteFirstRow(kRows, kColumns, world, directory);
      };
      TRY_ASSIGN(const std::unique_ptr<Served> served, Serve(world, write, options));
      Taker taker;
      const engine::Step step =
          Common({TensorView{DType::kFloat32, {kRows, kColumns}, source}}, world, taker, Soon());
      TRY_ASSIGN(const std::vector<Spread> spread,
                 Measure(5, 40, [&] { return TimeStep(*served->group, step); }));
      ways.push_back(spread[0]);
      const std::vector<float> row = taker.Values<float>(0, 0);
      for (size_t i = 0; i < row.size(); ++i) {
        if (row[i] != values[i])
          return Fail(Code::kInternal, "element {} is {}, wanted {}", i, row[i], values[i]);
      }
    }
    std::printf("| %d | %.0f / %.0f | %.2fx | %.0f / %.0f |\n", world, ways[0].median, ways[0].p99,
                ways[0].median / one[0].median, ways[1].median, ways[1].p99);
  }
  return BenchProbe(worlds);
}

}  // namespace tessera::gputest
