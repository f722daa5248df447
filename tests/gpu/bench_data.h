// Loaded models and their data for the benchmarks.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "tessera/cuda/memory.h"
#include "tessera/engine/tensorrt/tensorrt_engine.h"
#include "tests/gpu/bench.h"
#include "tests/gpu/models.h"
#include "tests/gpu/steps.h"

namespace tessera::gputest {

Deadline Soon();

// A loaded model.
struct Served {
  TempDirectory directory;
  std::unique_ptr<engine::Engine> engine;
  std::unique_ptr<engine::RankGroup> group;
};

// On the first `world` GPUs.
Result<std::unique_ptr<Served>> Serve(
    int world, const std::function<Result<plan::Plan>(const std::filesystem::path&)>& write,
    engine::TensorRtOptions options = {});
Result<std::unique_ptr<Served>> ServeMlp(const Mlp& mlp, int world,
                                         const engine::TensorRtOptions& options = {});

// Numbers of threads that launch ranks beside the caller: none, one in three ranks, and one for each rank but
// one.
std::set<int> HelpersToCompare(int world);

// A step whose fp16 input is on every rank's GPU (as it is when another model on the same GPUs made it), and
// the outputs of the first ranks on theirs.
struct OnGpus {
  std::vector<cuda::DeviceBuffer> inputs;
  std::vector<cuda::DeviceBuffer> outputs;
  Taker taker;
  engine::Step step;
};
// Shapes of a rank's input and output; every rank has the same values.
Result<std::unique_ptr<OnGpus>> PutOnGpus(const Shape& in, const Shape& out, int world, int outputs_of);

// Values in memory of a GPU.
Result<cuda::DeviceBuffer> Upload(const std::vector<uint16_t>& values, DeviceId device);

// Wall time of a step, and the part of it that is not the slowest rank's GPU time; microseconds.
Result<std::vector<double>> TimeStep(engine::RankGroup& group, const engine::Step& step);

}  // namespace tessera::gputest
