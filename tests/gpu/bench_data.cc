#include "tests/gpu/bench_data.h"

#include <algorithm>

#include "tests/gpu/device_memory.h"
#include "tests/gpu/gpus.h"

namespace tessera::gputest {
namespace {

size_t HalfBytes(const Shape& shape) {
  return static_cast<size_t>(ElementCount(shape)) * 2;
}

}  // namespace

Deadline Soon() {
  return Deadline::In(std::chrono::seconds(120));
}

Result<std::unique_ptr<Served>> Serve(
    int world, const std::function<Result<plan::Plan>(const std::filesystem::path&)>& write,
    engine::TensorRtOptions options) {
  auto served = std::make_unique<Served>();
  TRY_ASSIGN(const plan::Plan plan, write(served->directory.path()));
  options.devices = FirstGpus(world);
  served->engine = engine::MakeTensorRtEngine(options);
  TRY_ASSIGN(served->group, served->engine->Load(plan, served->directory.path(), Soon()));
  return served;
}

Result<std::unique_ptr<Served>> ServeMlp(const Mlp& mlp, int world, const engine::TensorRtOptions& options) {
  return Serve(
      world, [&](const std::filesystem::path& directory) { return WriteMlp(mlp, world, directory); },
      options);
}

std::set<int> HelpersToCompare(int world) {
  return {0, world / 3, world - 1};
}

Result<std::unique_ptr<OnGpus>> PutOnGpus(const Shape& in, const Shape& out, int world, int outputs_of) {
  auto data = std::make_unique<OnGpus>();
  const std::vector<uint16_t> x = RandomHalves(static_cast<size_t>(ElementCount(in)), 3, 1);
  for (int r = 0; r < world; ++r) {
    const DeviceId device = Gpus()[static_cast<size_t>(r)];
    TRY_ASSIGN(cuda::DeviceBuffer input, Upload(x, device));
    data->step.ranks.push_back({{TensorView{DType::kFloat16, in, Whole(input)}}});
    data->inputs.push_back(std::move(input));
    if (r >= outputs_of) continue;
    TRY_ASSIGN(cuda::DeviceBuffer output, cuda::DeviceBuffer::Create(device, HalfBytes(out)));
    data->taker.TakeTo(Rank(r), 0, Whole(output));
    data->outputs.push_back(std::move(output));
  }
  data->step.sink = &data->taker;
  data->step.deadline = Deadline::In(std::chrono::seconds(600));
  return data;
}

Result<cuda::DeviceBuffer> Upload(const std::vector<uint16_t>& values, DeviceId device) {
  const auto bytes = std::as_bytes(std::span(values));
  TRY_ASSIGN(cuda::DeviceBuffer buffer, cuda::DeviceBuffer::Create(device, bytes.size()));
  TRY(CopyNow(HostRegion(bytes), Whole(buffer), device, Soon()));
  return buffer;
}

Result<std::vector<double>> TimeStep(engine::RankGroup& group, const engine::Step& step) {
  const auto start = std::chrono::steady_clock::now();
  TRY_ASSIGN(const engine::StepReport report, group.Run(step));
  const double wall = MicrosSince(start);
  double slowest = 0;
  for (const auto& time : report.rank_time) slowest = std::max(slowest, Micros(time));
  return std::vector<double>{wall, wall - slowest};
}

}  // namespace tessera::gputest
