// What the benchmarks of a served model share: models in a repository, data on a GPU, times and rates.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tessera/cuda/memory.h"
#include "tessera/exec/executor.h"
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
// x has random values: a GPU that multiplies zeros takes less power, and is faster.
Result<std::unique_ptr<Buffers>> MakeBuffers(const std::string& model, const Shape& x, const Shape& y,
                                             DeviceId device);

// "0,1"
std::string ListOf(const std::vector<DeviceId>& gpus);

// What config.pbtxt says of a model.
struct Configuration {
  Shape x, y;
  std::vector<DeviceId> gpus;
  std::map<std::string, std::string> parameters{};  // besides multi_device_gpus
};
// Of an MLP without a plan, an engine for each rank.
Configuration Ranks(const Mlp& mlp, const std::vector<DeviceId>& gpus);

// A model repository that goes with this.
class Repository {
 public:
  const std::filesystem::path& path() const { return directory_.path(); }
  std::filesystem::path version(const std::string& name) const { return path() / name / "1"; }
  // `write` makes the files of a version.
  Result<void> Add(const std::string& name, const Configuration& configuration,
                   const std::function<Result<void>(const std::filesystem::path&)>& write);
  // The files of `other`, configured in another way.
  Result<void> AddSame(const std::string& name, const std::string& other, const Configuration& configuration);

 private:
  Result<void> Configure(const std::string& name, const Configuration& configuration) const;
  TempDirectory directory_;
};

using Once = std::function<Result<void>()>;
// Wall time of one call after the other.
Result<Spread> TimeOf(const Once& once);
// Wall time of one request on `executor`; microseconds.
Result<double> TimeInfer(exec::Executor& executor, const Request& request);
// The same by Executor::Start: another thread sees the step end, and none of the server's takes part.
Result<double> TimeStart(exec::Executor& executor, const Request& request);
// Calls a second of all `callers` together, each in a thread of its own, over about `seconds`, and at least
// kLeastCalls of them.
constexpr size_t kLeastCalls = 10;
Result<double> RateOf(const std::vector<Once>& callers, double seconds);

}  // namespace tessera::gputest
