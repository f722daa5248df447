// What the benchmarks of a served model share: models in a repository, data on a GPU, times and rates.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tessera/cuda/memory.h"
#include "tests/gpu/bench.h"
#include "tests/gpu/models.h"
#include "tests/gpu/triton_host.h"

namespace tessera::gputest {

// x and y on one GPU.
struct Buffers {
  cuda::DeviceBuffer x;
  cuda::DeviceBuffer y;
  Request request;
};
Result<std::unique_ptr<Buffers>> MakeBuffers(const std::string& model, int64_t m, const Mlp& mlp,
                                             DeviceId device);

// A model repository that goes with this: each model on the GPUs listed, an engine for each rank.
class Repository {
 public:
  const std::filesystem::path& path() const { return directory_.path(); }
  std::filesystem::path version(const std::string& name) const { return path() / name / "1"; }
  Result<void> Add(const std::string& name, const Mlp& mlp, const std::vector<DeviceId>& gpus);
  // The files of `other`, on other GPUs.
  Result<void> AddSame(const std::string& name, const std::string& other, const Mlp& mlp,
                       const std::vector<DeviceId>& gpus);

 private:
  Result<void> Configure(const std::string& name, const Mlp& mlp, const std::vector<DeviceId>& gpus) const;
  TempDirectory directory_;
};

using Once = std::function<Result<void>()>;
// Wall time of one call after the other.
Result<Spread> TimeOf(const Once& once);
// Calls a second of all `callers` together, each in a thread of its own, over `seconds`.
Result<double> RateOf(const std::vector<Once>& callers, double seconds);

}  // namespace tessera::gputest
