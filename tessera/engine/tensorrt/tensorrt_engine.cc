#include "tessera/engine/tensorrt/tensorrt_engine.h"

#include <future>
#include <optional>

#include "tessera/base/log.h"
#include "tessera/base/named_thread.h"
#include "tessera/cuda/device.h"
#include "tessera/engine/tensorrt/checks.h"
#include "tessera/engine/tensorrt/connect.h"
#include "tessera/engine/tensorrt/device_mover.h"
#include "tessera/engine/tensorrt/group.h"
#include "tessera/engine/tensorrt/replication.h"
#include "tessera/plan/runtime.h"

namespace tessera::engine {
namespace {

using Runners = std::vector<std::shared_ptr<RankRunner>>;

std::vector<Declared> DeclaredBy(const Runners& runners) {
  std::vector<Declared> all;
  for (const auto& runner : runners) {
    const RankEngine& engine = runner->engine();
    all.push_back({engine.rank(), engine.tensors(), engine.profile_count(), engine.CollectiveLayers()});
  }
  return all;
}

int64_t MillisSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start)
      .count();
}

// One model on its way up: every step needs the ones before.
class Loader {
 public:
  Loader(const TensorRtOptions& options, const plan::Plan& plan, const std::filesystem::path& directory,
         Deadline deadline)
      : options_(options), plan_(plan), directory_(directory), deadline_(deadline) {}

  Result<std::unique_ptr<RankGroup>> Load();

 private:
  Result<std::vector<DeviceId>> PickDevices() const;
  Result<void> LoadAndConnect(RankThreads& threads);
  Result<void> LoadEngines(RankThreads& threads);
  Result<void> CheckBuild() const;
  Result<void> Connect(std::shared_future<bool> loaded);
  Result<Runners> MakeRunners();
  Result<void> SetCommunicators(RankThreads& threads, const Runners& runners) const;

  const TensorRtOptions& options_;
  const plan::Plan& plan_;
  const std::filesystem::path& directory_;
  const Deadline deadline_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::shared_ptr<const TensorRtLibrary> library_;
  std::vector<DeviceId> devices_;
  std::shared_ptr<Peers> peers_;  // null: one rank
  std::shared_ptr<std::vector<std::unique_ptr<RankEngine>>> engines_;
};

Result<std::unique_ptr<RankGroup>> Loader::Load() {
  if (options_.steps_in_flight < 1 || options_.steps_in_flight > kMostStepsInFlight) {
    return Fail(Code::kInvalidArgument, "{} steps in flight are asked for, wanted 1 to {}",
                options_.steps_in_flight, kMostStepsInFlight);
  }
  if (plan_.world_size() > 1) TRY(Peers::Supported());  // before anything else is said about the model
  TRY(plan::CheckBuilt(plan_));
  TRY_ASSIGN(devices_, PickDevices());
  TRY_ASSIGN(std::unique_ptr<RankThreads> threads, RankThreads::Create(devices_));
  TRY(LoadAndConnect(*threads));
  const int64_t there = MillisSince(start_);
  TRY_ASSIGN(Runners runners, MakeRunners());
  const std::vector<Declared> declared = DeclaredBy(runners);
  TRY(CheckTensors(declared.front().tensors, plan_));
  TRY(CheckRanksAgree(declared, plan_));
  if (WantsCommunicator(plan_)) TRY(SetCommunicators(*threads, runners));
  GatherSizes gather;
  if (peers_) {
    TRY_ASSIGN(gather, ChooseGatherSizes(options_, plan_.model_name, peers_, *threads, devices_, deadline_));
  }
  TRY_ASSIGN(std::unique_ptr<RankSet> ranks,
             RankSet::Create(std::move(runners), peers_, std::move(threads), gather, options_));
  TRY(ranks->WarmUp(deadline_));
  const std::string ready = devices_.size() == 1
                                ? fmt::format("TensorRT ready on GPU {}", devices_.front().value())
                                : fmt::format("TensorRT Multi-Device ready: {} ranks", devices_.size());
  TESSERA_LOG(kInfo, "{} (model '{}', TensorRT {}); {} ms, {} of them warm-up", ready, plan_.model_name,
              library_->version(), MillisSince(start_), MillisSince(start_) - there);
  TRY_ASSIGN(std::unique_ptr<TensorRtGroup> group, TensorRtGroup::Create(std::move(ranks)));
  if (peers_ && options_.spare_connections) ConnectInAdvance(devices_);
  return group;
}

Result<std::vector<DeviceId>> Loader::PickDevices() const {
  const auto world = static_cast<size_t>(plan_.world_size());
  std::vector<DeviceId> devices = options_.devices;
  if (devices.empty()) {
    for (size_t r = 0; r < world; ++r) devices.push_back(DeviceId(static_cast<int>(r)));
  }
  if (devices.size() != world) {
    return Fail(Code::kInvalidArgument, "{} GPUs are listed for a model of {} ranks", devices.size(), world);
  }
  for (DeviceId device : devices) TRY(cuda::GetDeviceInfo(device));
  return devices;
}

// The first collectives wait until the engines are there, and keep other models off the GPUs.
Result<void> Loader::Connect(std::shared_future<bool> loaded) {
  auto before_work = [&]() -> Result<std::shared_ptr<void>> {
    if (!loaded.get()) return Fail(Code::kCancelled, "the engines were not loaded");
    TRY_ASSIGN(DeviceOrder::Turn turn, DeviceOrder::OfProcess().Hold(devices_, deadline_));
    return std::shared_ptr<void>(std::make_shared<DeviceOrder::Turn>(std::move(turn)));
  };
  TRY_ASSIGN(peers_, Peers::Connect(devices_, SendsBetweenPairs(plan_), deadline_, before_work));
  return {};
}

// Connecting the GPUs takes as long as opening the library and deserialising: at the same time.
Result<void> Loader::LoadAndConnect(RankThreads& threads) {
  std::future<Result<void>>
      connected;  // its end waits for the other thread: behind that of what it waits for
  std::promise<bool> all_loaded;
  if (devices_.size() > 1) {
    TRY_ASSIGN(connected, StartNamedTask("tessera-peers", [this, loaded = all_loaded.get_future().share()] {
                 return Connect(loaded);
               }));
  }
  Result<void> loaded = LoadEngines(threads);
  const int64_t engines = MillisSince(start_);
  all_loaded.set_value(loaded.has_value());
  Result<void> is_connected = connected.valid() ? connected.get() : Result<void>();
  TRY(std::move(loaded));
  TRY(std::move(is_connected));
  TESSERA_LOG(kDebug, "model '{}': engines loaded after {} ms, GPUs connected after {} ms", plan_.model_name,
              engines, MillisSince(start_));
  return {};
}

Result<void> Loader::LoadEngines(RankThreads& threads) {
  TRY_ASSIGN(library_, TensorRtLibrary::Open(options_.library));
  TRY(CheckBuild());
  const std::shared_lock<std::shared_mutex> loading = LoadingEngines();
  engines_ = std::make_shared<std::vector<std::unique_ptr<RankEngine>>>(devices_.size());
  return threads.RunAll(
      [engines = engines_, library = library_, devices = devices_, plan = plan_, directory = directory_,
       options = options_](Rank rank) -> Result<void> {
        const auto r = static_cast<size_t>(rank.value());
        const std::filesystem::path file = directory / plan.ranks[r].model.file;
        TRY_ASSIGN((*engines)[r], RankEngine::Load(library, rank, devices[r], file, options));
        return {};
      },
      deadline_);
}

// An engine without a plan tells for itself, to RankEngine::Load.
Result<void> Loader::CheckBuild() const {
  if (!plan_.build) return {};
  plan::Runtime here{kTensorRtLibraryName, library_->version(), {}, options_.version_compatible};
  for (const DeviceId device : devices_) {
    TRY_ASSIGN(const cuda::DeviceInfo info, cuda::GetDeviceInfo(device));
    here.compute_capabilities.push_back(fmt::format("{}.{}", info.major, info.minor));
  }
  return plan::CheckRuntime(*plan_.build, here);
}

Result<Runners> Loader::MakeRunners() {
  Runners runners;
  const auto slots = static_cast<size_t>(options_.steps_in_flight);
  for (std::unique_ptr<RankEngine>& engine : *engines_) {
    TRY_ASSIGN(std::shared_ptr<RankRunner> runner, RankRunner::Create(std::move(engine), peers_, slots));
    runners.push_back(std::move(runner));
  }
  return runners;
}

Result<void> Loader::SetCommunicators(RankThreads& threads, const Runners& runners) const {
  auto set = [peers = peers_, runners](Rank rank) -> Result<void> {
    return peers->WhileUsable([&] {
      return runners[static_cast<size_t>(rank.value())]->engine().SetCommunicator(peers->communicator(rank));
    });
  };
  return threads.RunAll(set, deadline_, [peers = peers_](const Error& error) { peers->Abort(error); });
}

class TensorRtEngine final : public Engine {
 public:
  explicit TensorRtEngine(TensorRtOptions options) : options_(std::move(options)) {}
  std::string_view name() const override { return "tensorrt"; }
  Result<std::unique_ptr<RankGroup>> Load(const plan::Plan& plan, const std::filesystem::path& directory,
                                          Deadline deadline) override {
    return Loader(options_, plan, directory, deadline).Load();
  }
  Result<std::unique_ptr<Mover>> MakeMover() override {
    return DeviceMover::Create(options_.devices.empty() ? DeviceId(0) : options_.devices.front());
  }

 private:
  const TensorRtOptions options_;
};

}  // namespace

Result<void> ConnectGpus(const std::vector<DeviceId>& devices) {
  for (DeviceId device : devices) TRY(cuda::GetDeviceInfo(device));
  TRY(Peers::Supported());
  ConnectInAdvance(devices);
  return {};
}

Result<std::string> TensorRtVersionHere() {
  TRY_ASSIGN(const std::shared_ptr<const TensorRtLibrary> library, TensorRtLibrary::Open());
  return library->version();
}

Result<void> SupportsSeveralGpus() {
  return Peers::Supported();
}

std::unique_ptr<Engine> MakeTensorRtEngine(TensorRtOptions options) {
  return std::make_unique<TensorRtEngine>(std::move(options));
}

}  // namespace tessera::engine
