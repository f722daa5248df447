// What a step costs beside the GPUs' work, and where on the host that time goes.
#include <cstdio>
#include <string>
#include <utility>

#include "tessera/engine/tensorrt/step_times.h"
#include "tests/gpu/bench_data.h"

namespace tessera::gputest {
namespace {

// Wall time, what is over the slowest rank's GPU time, that GPU time, and the parts of the wall time. The
// rank's GPU time is within "wait" but for what passes while later ranks are launched; it holds the time that
// the first rank's collective waits for the last rank.
Result<std::vector<double>> TimeParts(engine::RankGroup& group, const engine::Step& step) {
  TRY_ASSIGN(std::vector<double> parts, TimeStep(group, step));
  parts.push_back(parts[0] - parts[1]);
  const engine::StepTimes times = engine::LastStepTimes(group).value();
  for (const auto& part : {times.prepare, times.send, times.launch, times.fetch, times.wait, times.report}) {
    parts.push_back(Micros(part));
  }
  parts.push_back(times.direct ? 1 : 0);
  return parts;
}

Result<void> PrintParts(engine::RankGroup& group, const engine::Step& step, const char* data,
                        const char* how) {
  TRY_ASSIGN(const std::vector<Spread> parts, Measure(100, 2000, [&] { return TimeParts(group, step); }));
  std::printf("| %d | %s%s | %s | %.1f / %.1f | %.1f |", group.world_size(), data,
              parts.back().median > 0 ? ", in place" : "", how, parts[1].median, parts[1].p99,
              parts[0].median);
  for (size_t p = 2; p + 1 < parts.size(); ++p) std::printf(" %.1f |", parts[p].median);
  std::printf("\n");
  return {};
}

std::vector<std::pair<std::string, engine::TensorRtOptions>> WaysToIssue(int world) {
  std::vector<std::pair<std::string, engine::TensorRtOptions>> ways;
  for (const int helpers : HelpersToCompare(world)) {
    engine::TensorRtOptions options;
    options.launch_helpers = helpers;
    ways.emplace_back("CUDA graphs, " + std::to_string(helpers) + " helpers", options);
  }
  engine::TensorRtOptions eager;
  eager.cuda_graphs = false;
  ways.emplace_back("rank threads", eager);
  return ways;
}

}  // namespace

Result<void> BenchOverhead(const std::vector<int>& worlds) {
  std::printf(
      "\na step of a small MLP with one all-reduce; us, medians, the overhead over the slowest rank's GPU "
      "time: "
      "median / p99\n"
      "| GPUs | data | issued by | overhead | step | GPU time | prepare | send | launch | fetch and signal | "
      "wait | report |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  const Mlp mlp{256, 512, 256, 128, 128};
  for (const int world : worlds) {
    TRY_ASSIGN(const std::unique_ptr<OnGpus> on_gpus, PutOnGpus({128, 256}, {128, 256}, world, 1));
    const std::vector<uint16_t> x = RandomHalves(128 * 256, 3, 1);
    Taker taker;
    const engine::Step from_host =
        Common({TensorView{DType::kFloat16, {128, 256}, HostRegion(std::as_bytes(std::span(x)))}}, world,
               taker, Soon());
    for (const auto& [how, options] : WaysToIssue(world)) {
      TRY_ASSIGN(const std::unique_ptr<Served> served, ServeMlp(mlp, world, options));
      TRY(PrintParts(*served->group, on_gpus->step, "on the GPUs", how.c_str()));
      TRY(PrintParts(*served->group, from_host, "64 KB pageable", how.c_str()));
    }
  }
  return {};
}

}  // namespace tessera::gputest
