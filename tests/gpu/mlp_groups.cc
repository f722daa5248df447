#include "tests/gpu/mlp_groups.h"

#include <algorithm>
#include <cmath>

#include "tests/gpu/steps.h"

namespace tessera::gputest {

Deadline Soon() {
  return Deadline::In(std::chrono::seconds(60));
}

Result<std::unique_ptr<engine::RankGroup>> MlpGroups::Load(const Mlp& mlp, std::vector<DeviceId> devices,
                                                           engine::TensorRtOptions options) {
  directories_.push_back(std::make_unique<TempDirectory>());
  const std::filesystem::path& directory = directories_.back()->path();
  TRY_ASSIGN(const plan::Plan plan, WriteMlp(mlp, static_cast<int>(devices.size()), directory));
  options.devices = std::move(devices);
  engines_.push_back(engine::MakeTensorRtEngine(options));
  return engines_.back()->Load(plan, directory, Soon());
}

std::unique_ptr<engine::RankGroup> MlpGroups::Loaded(const Mlp& mlp, std::vector<DeviceId> devices,
                                                     const engine::TensorRtOptions& options) {
  auto loaded = Load(mlp, std::move(devices), options);
  if (!loaded) ADD_FAILURE() << loaded.error().ToString();
  return loaded ? *std::move(loaded) : nullptr;
}

Result<std::vector<uint16_t>> Ask(engine::RankGroup& group, const Mlp& mlp, int64_t m, unsigned seed,
                                  Deadline deadline) {
  const std::vector<uint16_t> x = RandomHalves(static_cast<size_t>(m * mlp.k), seed, 1);
  Taker taker;
  TRY(group.Run(Common({{DType::kFloat16, {m, mlp.k}, HostRegion(std::as_bytes(std::span(x)))}},
                       group.world_size(), taker, deadline)));
  return taker.Values<uint16_t>(0, 0);
}

double RelativeError(const std::vector<uint16_t>& got, const std::vector<uint16_t>& wanted) {
  if (got.size() != wanted.size() || got.empty()) return INFINITY;
  double difference = 0;
  double most = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const auto value = static_cast<double>(FromHalf(wanted[i]));
    const double off = std::fabs(static_cast<double>(FromHalf(got[i])) - value);
    difference = std::max(difference, std::isnan(off) ? INFINITY : off);  // std::max passes NaN over
    most = std::max(most, std::fabs(value));
  }
  return difference / most;
}

}  // namespace tessera::gputest
