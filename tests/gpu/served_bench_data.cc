#include "tests/gpu/served_bench_data.h"

#include <fmt/ranges.h>

#include <atomic>
#include <fstream>
#include <thread>
#include <tuple>

#include "tessera/base/mutex.h"
#include "tessera/base/spin.h"
#include "tests/gpu/bench_data.h"

namespace tessera::gputest {
namespace {

namespace fs = std::filesystem;
constexpr int kWarm = 50;
constexpr int kCount = 500;

class To final : public exec::OutputTarget {
 public:
  explicit To(Region region) : region_(region) {}
  Result<Region> Place(int, DType, const Shape&) override { return region_; }

 private:
  const Region region_;
};

// When calls ended. A step may take a quarter of a second: the rate is counted between two ends, not in a
// fixed time, so that no part of a call is counted or lost.
class Ends {
 public:
  bool wanted() const { return !stop_.load(); }
  void Stop() {
    const MutexLock lock(mutex_);
    stop_.store(true);
    changed_.notify_all();
  }
  void Add() {
    const MutexLock lock(mutex_);
    ends_.push_back(std::chrono::steady_clock::now());
    changed_.notify_all();
  }
  // Waits until `warm` calls have ended and then enough to count, or until somebody stops it.
  double RateWhenDone(size_t warm, double seconds) {
    MutexLock lock(mutex_);
    while (!stop_.load() && !IsEnough(warm, seconds)) lock.Wait(changed_);
    stop_.store(true);
    if (ends_.size() <= warm + 1) return 0;
    const std::chrono::duration<double> took = ends_.back() - ends_[warm];
    return static_cast<double>(ends_.size() - warm - 1) / took.count();
  }

 private:
  bool IsEnough(size_t warm, double seconds) const REQUIRES(mutex_) {
    return ends_.size() > warm + kLeastCalls &&
           ends_.back() - ends_[warm] > std::chrono::duration<double>(seconds);
  }

  std::atomic<bool> stop_{false};
  Mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::chrono::steady_clock::time_point> ends_ GUARDED_BY(mutex_);
};

}  // namespace

Result<std::unique_ptr<Buffers>> MakeBuffers(const std::string& model, const Shape& x, const Shape& y,
                                             DeviceId device) {
  const auto y_bytes = static_cast<size_t>(ElementCount(y)) * 2;
  TRY_ASSIGN(cuda::DeviceBuffer from,
             Upload(RandomHalves(static_cast<size_t>(ElementCount(x)), 3, 1), device));
  TRY_ASSIGN(cuda::DeviceBuffer to, cuda::DeviceBuffer::Create(device, y_bytes));
  auto made = std::make_unique<Buffers>(Buffers{std::move(from), std::move(to), {}});
  made->request = {model, x, DeviceRegion(made->x.bytes(), device), DeviceRegion(made->y.bytes(), device)};
  return made;
}

std::string ListOf(const std::vector<DeviceId>& gpus) {
  std::vector<int> numbers;
  for (const DeviceId gpu : gpus) numbers.push_back(gpu.value());
  return fmt::format("{}", fmt::join(numbers, ","));
}

Configuration Ranks(const Mlp& mlp, const std::vector<DeviceId>& gpus) {
  return {{kDynamic, mlp.k},
          {kDynamic, mlp.n},
          gpus,
          {{"enable_multi_device", "true"}, {"multi_device_per_rank_engines", "true"}}};
}

Result<void> Repository::Add(const std::string& name, const Configuration& configuration,
                             const std::function<Result<void>(const fs::path&)>& write) {
  fs::create_directories(version(name));
  TRY(write(version(name)));
  return Configure(name, configuration);
}

Result<void> Repository::AddSame(const std::string& name, const std::string& other,
                                 const Configuration& configuration) {
  fs::create_directories(path() / name);
  fs::create_directory_symlink(version(other), version(name));
  return Configure(name, configuration);
}

// Not batched: a request is a step.
Result<void> Repository::Configure(const std::string& name, const Configuration& configuration) const {
  std::map<std::string, std::string> parameters = configuration.parameters;
  parameters["multi_device_gpus"] = ListOf(configuration.gpus);
  std::ofstream config(path() / name / "config.pbtxt");
  config << "backend: \"tensorrt\"\ninstance_group [ { kind: KIND_MODEL count: 1 } ]\n";
  for (const auto& [kind, tensor, shape] :
       {std::tuple{"input", "x", configuration.x}, std::tuple{"output", "y", configuration.y}}) {
    config << fmt::format("{} [ {{ name: \"{}\" data_type: TYPE_FP16 dims: [ {} ] }} ]\n", kind, tensor,
                          fmt::join(shape, ", "));
  }
  for (const auto& [key, value] : parameters) {
    config << "parameters { key: \"" << key << "\" value { string_value: \"" << value << "\" } }\n";
  }
  config.close();
  if (!config) return Fail(Code::kInternal, "config.pbtxt of '{}' cannot be written", name);
  return {};
}

Result<Spread> TimeOf(const Once& once) {
  TRY_ASSIGN(const std::vector<Spread> spreads, Measure(kWarm, kCount, [&]() -> Result<std::vector<double>> {
               const auto start = std::chrono::steady_clock::now();
               TRY(once());
               return std::vector<double>{MicrosSince(start)};
             }));
  return spreads.front();
}

Result<double> TimeInfer(exec::Executor& executor, const Request& request) {
  const TensorView x{DType::kFloat16, request.shape, request.x};
  To to(request.y);
  const auto start = std::chrono::steady_clock::now();
  TRY(executor.Infer(std::span(&x, 1), to, Soon()));
  return MicrosSince(start);
}

Result<double> TimeStart(exec::Executor& executor, const Request& request) {
  const TensorView x{DType::kFloat16, request.shape, request.x};
  To to(request.y);
  std::atomic<bool> done{false};
  Result<void> answer;
  const auto start = std::chrono::steady_clock::now();
  executor.Start(std::span(&x, 1), to, [&](Result<exec::InferReport> report) {
    if (!report) answer = Forward(std::move(report));
    done.store(true, std::memory_order_release);
  });
  while (!done.load(std::memory_order_acquire)) Pause();
  const double took = MicrosSince(start);
  TRY(std::move(answer));
  return took;
}

Result<double> RateOf(const std::vector<Once>& callers, double seconds) {
  Ends ends;
  std::vector<Result<void>> results(callers.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < callers.size(); ++i) {
    threads.emplace_back([&, i] {
      while (ends.wanted() && results[i]) {
        results[i] = callers[i]();
        ends.Add();
      }
      ends.Stop();
    });
  }
  constexpr size_t kWarm = 4;  // of each: its memory is used in place from the third request on
  const double rate = ends.RateWhenDone(kWarm * callers.size(), seconds);
  for (std::thread& thread : threads) thread.join();
  for (Result<void>& result : results) TRY(std::move(result));
  return rate;
}

}  // namespace tessera::gputest
