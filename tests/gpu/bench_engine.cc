#include <cstdio>

#include "tessera/cuda/copy.h"
#include "tessera/cuda/event.h"
#include "tessera/cuda/memory.h"
#include "tessera/cuda/stream.h"
#include "tessera/engine/tensorrt/step_times.h"
#include "tessera/engine/tensorrt/tensorrt_engine.h"
#include "tests/gpu/bench.h"
#include "tests/gpu/models.h"
#include "tests/gpu/steps.h"

namespace tessera::gputest {
namespace {

using Clock = std::chrono::steady_clock;

Deadline Soon() {
  return Deadline::In(std::chrono::seconds(120));
}

// Wall time of a step, and the part of it that is not the slowest rank's GPU time.
Result<std::vector<double>> TimeStep(engine::RankGroup& group, const engine::Step& step) {
  const auto start = Clock::now();
  TRY_ASSIGN(const engine::StepReport report, group.Run(step));
  const double wall = MicrosSince(start);
  double slowest = 0;
  for (const auto& time : report.rank_time)
    slowest = std::max(slowest, static_cast<double>(time.count()) / 1e3);
  return std::vector<double>{wall, wall - slowest};
}

double Micros(std::chrono::nanoseconds time) {
  return static_cast<double>(time.count()) / 1e3;
}

// Where the host's time of a step goes; the rank's GPU time is within "wait" but for what passes while later
// ranks are launched.
Result<std::vector<double>> TimeParts(engine::RankGroup& group, const engine::Step& step) {
  TRY_ASSIGN(std::vector<double> parts, TimeStep(group, step));
  const engine::StepTimes times = engine::LastStepTimes(group).value();
  for (const auto& part : {times.prepare, times.send, times.launch, times.fetch, times.wait, times.report}) {
    parts.push_back(Micros(part));
  }
  parts.push_back(times.direct ? 1 : 0);
  return parts;
}

Result<void> PrintParts(engine::RankGroup& group, const engine::Step& step, const char* name) {
  TRY_ASSIGN(const std::vector<Spread> parts, Measure(100, 2000, [&] { return TimeParts(group, step); }));
  std::printf("| %d | %s%s", group.world_size(), name, parts.back().median > 0 ? ", in place |" : " |");
  for (size_t p = 0; p + 1 < parts.size(); ++p) std::printf(" %.1f |", parts[p].median);
  std::printf("\n");
  return {};
}

// A loaded model and memory for its input and output.
struct Served {
  TempDirectory directory;
  std::unique_ptr<engine::Engine> engine;
  std::unique_ptr<engine::RankGroup> group;
};

Result<std::unique_ptr<Served>> Serve(
    const std::function<Result<plan::Plan>(const std::filesystem::path&)>& write,
    const engine::TensorRtOptions& options = {}) {
  auto served = std::make_unique<Served>();
  TRY_ASSIGN(const plan::Plan plan, write(served->directory.path()));
  served->engine = engine::MakeTensorRtEngine(options);
  TRY_ASSIGN(served->group, served->engine->Load(plan, served->directory.path(), Soon()));
  return served;
}

Result<std::unique_ptr<Served>> ServeMlp(const Mlp& mlp, int world,
                                         const engine::TensorRtOptions& options = {}) {
  return Serve([&](const std::filesystem::path& directory) { return WriteMlp(mlp, world, directory); },
               options);
}

// The input on every rank's GPU (as it is when another model on the same GPUs made it), the output on rank
// 0's.
struct OnGpus {
  std::vector<cuda::DeviceBuffer> inputs;
  cuda::DeviceBuffer output;
  Taker taker;
  engine::Step step;
};

Result<std::unique_ptr<OnGpus>> PutOnGpus(const Mlp& mlp, int64_t m, int world) {
  auto data = std::make_unique<OnGpus>();
  const size_t in = static_cast<size_t>(m * mlp.k) * 2;
  const size_t out = static_cast<size_t>(m * mlp.n) * 2;
  const std::vector<uint16_t> x = RandomHalves(static_cast<size_t>(m * mlp.k), 3, 1);
  for (int r = 0; r < world; ++r) {
    TRY_ASSIGN(cuda::DeviceBuffer buffer, cuda::DeviceBuffer::Create(DeviceId(r), in));
    TRY_ASSIGN(const cuda::Stream stream, cuda::Stream::Create(DeviceId(r)));
    TRY(cuda::CopyAsync(HostRegion(std::as_bytes(std::span(x))),
                        Region{buffer.data(), 1, in, in, MemoryKind::kDevice, DeviceId(r)}, stream));
    TRY(stream.Drain(Soon()));
    data->step.ranks.push_back(
        {{TensorView{DType::kFloat16,
                     {m, mlp.k},
                     ConstRegion{buffer.data(), 1, in, in, MemoryKind::kDevice, DeviceId(r)}}}});
    data->inputs.push_back(std::move(buffer));
  }
  TRY_ASSIGN(data->output, cuda::DeviceBuffer::Create(DeviceId(0), out));
  data->taker.TakeTo(Rank(0), 0, Region{data->output.data(), 1, out, out, MemoryKind::kDevice, DeviceId(0)});
  data->step.sink = &data->taker;
  data->step.deadline = Soon();
  return data;
}

Result<void> BenchOneMlp(const char* title, const Mlp& mlp, const std::vector<int64_t>& sizes,
                         const std::vector<int>& worlds) {
  std::printf(
      "\n%s: MLP %ld -> %ld -> %ld fp16, tensor parallel; input on the GPUs, output to GPU 0; us, median / "
      "p99\n",
      title, mlp.k, mlp.f, mlp.n);
  std::printf("| M | GPUs | step | over the slowest rank's GPU time | speed-up |\n|---|---|---|---|---|\n");
  std::vector<double> alone(sizes.size(), 0);
  for (const int world : worlds) {
    TRY_ASSIGN(const std::unique_ptr<Served> served, ServeMlp(mlp, world));
    for (size_t s = 0; s < sizes.size(); ++s) {
      TRY_ASSIGN(const std::unique_ptr<OnGpus> data, PutOnGpus(mlp, sizes[s], world));
      TRY_ASSIGN(const std::vector<Spread> spread, Measure(20, sizes[s] > 4096 ? 100 : 500, [&] {
                   return TimeStep(*served->group, data->step);
                 }));
      if (world == 1) alone[s] = spread[0].median;
      std::printf("| %ld | %d | %.1f / %.1f | %.1f / %.1f | %.2fx |\n", sizes[s], world, spread[0].median,
                  spread[0].p99, spread[1].median, spread[1].p99, alone[s] / spread[0].median);
    }
  }
  return {};
}

}  // namespace

Result<void> BenchMlp(const std::vector<int>& worlds) {
  Mlp megatron{4096, 8192, 4096, 2048, 16384};
  TRY(BenchOneMlp("mlp", megatron, {1, 128, 2048, 16384}, worlds));
  Mlp chain{4096, 16384, 4096, 128, 2048};
  return BenchOneMlp("chain", chain, {1, 128, 2048}, worlds);
}

Result<void> BenchOverhead(const std::vector<int>& worlds) {
  std::printf(
      "\noverhead of a step over the slowest rank's GPU time, small MLP with one all-reduce; us, median / "
      "p99\n");
  std::printf("| GPUs | data | CUDA graphs | rank threads |\n|---|---|---|---|\n");
  const Mlp mlp{256, 512, 256, 128, 128};
  engine::TensorRtOptions eager;
  eager.cuda_graphs = false;
  for (const int world : worlds) {
    TRY_ASSIGN(const std::unique_ptr<Served> captured, ServeMlp(mlp, world));
    TRY_ASSIGN(const std::unique_ptr<Served> issued, ServeMlp(mlp, world, eager));
    TRY_ASSIGN(const std::unique_ptr<OnGpus> on_gpus, PutOnGpus(mlp, 128, world));
    const std::vector<uint16_t> x = RandomHalves(128 * 256, 3, 1);
    Taker taker;
    const engine::Step from_host =
        Common({TensorView{DType::kFloat16, {128, 256}, HostRegion(std::as_bytes(std::span(x)))}}, world,
               taker, Soon());
    const std::pair<const char*, const engine::Step*> cases[] = {
        {"on the GPUs", &on_gpus->step}, {"64 KB from and to pageable memory", &from_host}};
    for (const auto& [name, step] : cases) {
      TRY_ASSIGN(const std::vector<Spread> with,
                 Measure(100, 2000, [&] { return TimeStep(*captured->group, *step); }));
      TRY_ASSIGN(const std::vector<Spread> without,
                 Measure(100, 1000, [&] { return TimeStep(*issued->group, *step); }));
      std::printf("| %d | %s | %.1f / %.1f | %.1f / %.1f |\n", world, name, with[1].median, with[1].p99,
                  without[1].median, without[1].p99);
    }
  }
  return {};
}

Result<void> BenchParts(const std::vector<int>& worlds) {
  std::printf(
      "\nwhere a step's time goes on the host, CUDA graphs, the same MLP; us, medians\n"
      "| GPUs | data | step | over GPU time | prepare | send | launch | fetch and signal | wait | report |\n"
      "|---|---|---|---|---|---|---|---|---|---|\n");
  const Mlp mlp{256, 512, 256, 128, 128};
  for (const int world : worlds) {
    TRY_ASSIGN(const std::unique_ptr<Served> served, ServeMlp(mlp, world));
    TRY_ASSIGN(const std::unique_ptr<OnGpus> on_gpus, PutOnGpus(mlp, 128, world));
    const std::vector<uint16_t> x = RandomHalves(128 * 256, 3, 1);
    Taker taker;
    const engine::Step from_host =
        Common({TensorView{DType::kFloat16, {128, 256}, HostRegion(std::as_bytes(std::span(x)))}}, world,
               taker, Soon());
    TRY(PrintParts(*served->group, on_gpus->step, "on the GPUs"));
    TRY(PrintParts(*served->group, from_host, "pageable"));
  }
  return {};
}

Result<void> BenchReplicate(const std::vector<int>& worlds) {
  constexpr int64_t kRows = 4096;
  constexpr int64_t kColumns = 4096;
  constexpr size_t kBytes = kRows * kColumns * sizeof(float);
  std::printf(
      "\n64 MB from pinned host memory whole to every GPU, as the input of a step; us, median / p99\n");
  TRY_ASSIGN(cuda::PinnedBuffer pinned, cuda::PinnedBuffer::Create(kBytes));
  auto* values = reinterpret_cast<float*>(pinned.data());
  for (size_t i = 0; i < kBytes / sizeof(float); ++i) values[i] = static_cast<float>(i % 8191);
  const ConstRegion source{pinned.data(), 1, kBytes, kBytes, MemoryKind::kPinned};
  TRY_ASSIGN(cuda::DeviceBuffer target, cuda::DeviceBuffer::Create(DeviceId(0), kBytes));
  TRY_ASSIGN(const cuda::Stream stream, cuda::Stream::Create(DeviceId(0)));
  auto plain = [&]() -> Result<std::vector<double>> {
    const auto start = Clock::now();
    TRY(cuda::CopyAsync(source, Region{target.data(), 1, kBytes, kBytes, MemoryKind::kDevice, DeviceId(0)},
                        stream));
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
    for (const size_t gather_from : {size_t{1}, SIZE_MAX}) {
      engine::TensorRtOptions options;
      options.gather_from = gather_from;
      TRY_ASSIGN(const std::unique_ptr<Served> served, Serve(
                                                           [&](const std::filesystem::path& directory) {
                                                             return WriteFirstRow(kRows, kColumns, world,
                                                                                  directory);
                                                           },
                                                           options));
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
  return {};
}

Result<void> BenchLoad(const std::vector<int>& worlds) {
  std::printf("\nloading the chain MLP; ms\n| GPUs | load | unload |\n|---|---|---|\n");
  const Mlp chain{4096, 16384, 4096, 128, 2048};
  for (const int world : worlds) {
    TempDirectory directory;
    TRY_ASSIGN(const plan::Plan plan, WriteMlp(chain, world, directory.path()));
    auto engine = engine::MakeTensorRtEngine();
    for (int i = 0; i < 3; ++i) {  // the first one also starts CUDA on each GPU
      const auto start = Clock::now();
      TRY_ASSIGN(std::unique_ptr<engine::RankGroup> group, engine->Load(plan, directory.path(), Soon()));
      const double loaded = MicrosSince(start) / 1e3;
      const auto end = Clock::now();
      group.reset();
      std::printf("| %d (%s) | %.0f | %.0f |\n", world, i == 0 ? "first" : "again", loaded,
                  MicrosSince(end) / 1e3);
    }
  }
  return {};
}

}  // namespace tessera::gputest
