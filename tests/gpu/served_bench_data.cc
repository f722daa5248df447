#include "tests/gpu/served_bench_data.h"

#include <atomic>
#include <fstream>
#include <thread>

namespace tessera::gputest {
namespace {

namespace fs = std::filesystem;
constexpr int kWarm = 50;
constexpr int kCount = 500;

}  // namespace

Result<std::unique_ptr<Buffers>> MakeBuffers(const std::string& model, int64_t m, const Mlp& mlp,
                                             DeviceId device) {
  const auto x_bytes = static_cast<size_t>(m * mlp.k) * 2;
  const auto y_bytes = static_cast<size_t>(m * mlp.n) * 2;
  TRY_ASSIGN(cuda::DeviceBuffer x, cuda::DeviceBuffer::Create(device, x_bytes));
  TRY_ASSIGN(cuda::DeviceBuffer y, cuda::DeviceBuffer::Create(device, y_bytes));
  auto made = std::make_unique<Buffers>(Buffers{std::move(x), std::move(y), {}});
  made->request = {model,
                   {m, mlp.k},
                   ConstRegion{made->x.data(), 1, x_bytes, x_bytes, MemoryKind::kDevice, device},
                   Region{made->y.data(), 1, y_bytes, y_bytes, MemoryKind::kDevice, device}};
  return made;
}

Result<void> Repository::Add(const std::string& name, const Mlp& mlp, const std::vector<DeviceId>& gpus) {
  fs::create_directories(version(name));
  TRY(WriteMlp(mlp, static_cast<int>(gpus.size()), version(name)));
  return Configure(name, mlp, gpus);
}

Result<void> Repository::AddSame(const std::string& name, const std::string& other, const Mlp& mlp,
                                 const std::vector<DeviceId>& gpus) {
  fs::create_directories(path() / name);
  fs::create_directory_symlink(version(other), version(name));
  return Configure(name, mlp, gpus);
}

// Not batched: a request is a step.
Result<void> Repository::Configure(const std::string& name, const Mlp& mlp,
                                   const std::vector<DeviceId>& gpus) const {
  std::string list;
  for (const DeviceId gpu : gpus) list += (list.empty() ? "" : ",") + std::to_string(gpu.value());
  std::ofstream config(path() / name / "config.pbtxt");
  config << "backend: \"tensorrt\"\ninstance_group [ { kind: KIND_MODEL count: 1 } ]\n"
         << "input [ { name: \"x\" data_type: TYPE_FP16 dims: [ -1, " << mlp.k << " ] } ]\n"
         << "output [ { name: \"y\" data_type: TYPE_FP16 dims: [ -1, " << mlp.n << " ] } ]\n";
  for (const auto& [key, value] : {std::pair<std::string, std::string>{"enable_multi_device", "true"},
                                   {"multi_device_per_rank_engines", "true"},
                                   {"multi_device_gpus", list}}) {
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

Result<double> RateOf(const std::vector<Once>& callers, double seconds) {
  std::atomic<bool> stop{false};
  std::atomic<int64_t> calls{0};
  std::vector<Result<void>> results(callers.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < callers.size(); ++i) {
    threads.emplace_back([&, i] {
      while (!stop.load() && results[i]) {
        results[i] = callers[i]();
        calls.fetch_add(1);
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const int64_t before = calls.load();
  const auto start = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const int64_t done = calls.load() - before;
  const double took = MicrosSince(start) / 1e6;
  stop.store(true);
  for (std::thread& thread : threads) thread.join();
  for (Result<void>& result : results) TRY(std::move(result));
  return static_cast<double>(done) / took;
}

}  // namespace tessera::gputest
