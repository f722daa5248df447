#include "tests/gpu/executor_speed.h"

#include "tessera/exec/executor.h"
#include "tests/gpu/bench_data.h"
#include "tests/gpu/gpus.h"
#include "tests/gpu/served_bench_data.h"

namespace tessera::gputest {
namespace {

namespace fs = std::filesystem;
constexpr double kSeconds = 0.7;

Result<std::vector<Spread>> FromFirst(const Workload& work, int world) {
  const TempDirectory directory;
  TRY(work.write(world, directory.path()));
  engine::TensorRtOptions options;
  options.devices = FirstGpus(world);
  const std::unique_ptr<engine::Engine> engine = engine::MakeTensorRtEngine(options);
  TRY_ASSIGN(const std::unique_ptr<exec::Executor> executor,
             exec::Executor::Create(directory.path(), *engine));
  std::vector<Spread> spreads;
  for (const int64_t size : work.sizes) {
    TRY_ASSIGN(const std::unique_ptr<Buffers> buffers,
               MakeBuffers("", work.part_of_x(size, 1), work.part_of_y(size, 1), options.devices.front()));
    TRY_ASSIGN(const Spread spread, MeasureFor(kSeconds, [&]() -> Result<double> {
                 return TimeInfer(*executor, buffers->request);
               }));
    spreads.push_back(spread);
  }
  return spreads;
}

}  // namespace

Result<std::vector<Spread>> MeasureInPlace(const Workload& work, int world) {
  TRY_ASSIGN(const std::unique_ptr<Served> served,
             Serve(world, [&](const fs::path& directory) -> Result<plan::Plan> {
               TRY(work.write(world, directory));
               return plan::ReadPlan(directory);
             }));
  std::vector<Spread> spreads;
  for (const int64_t size : work.sizes) {
    TRY_ASSIGN(const std::unique_ptr<OnGpus> data,
               PutOnGpus(work.part_of_x(size, world), work.part_of_y(size, world), world,
                         work.is_split ? world : 1));
    TRY_ASSIGN(const Spread spread, MeasureFor(kSeconds, [&]() -> Result<double> {
                 TRY_ASSIGN(const std::vector<double> figures, TimeStep(*served->group, data->step));
                 return figures.front();
               }));
    spreads.push_back(spread);
  }
  return spreads;
}

Result<std::vector<ExecutorSpeed>> MeasureExecutor(const Workload& work, int world) {
  TRY_ASSIGN(const std::vector<Spread> in_place, MeasureInPlace(work, world));
  TRY_ASSIGN(const std::vector<Spread> from_first, FromFirst(work, world));
  std::vector<ExecutorSpeed> speeds;
  for (size_t s = 0; s < work.sizes.size(); ++s) speeds.push_back({in_place[s], from_first[s]});
  return speeds;
}

}  // namespace tessera::gputest
