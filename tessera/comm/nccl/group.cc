#include "tessera/comm/nccl/group.h"

#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <set>
#include <string_view>
#include <utility>

#include "tessera/base/aside.h"
#include "tessera/base/log.h"
#include "tessera/base/shared_gpus.h"
#include "tessera/comm/nccl/first_collectives.h"
#include "tessera/comm/nccl/grouped.h"
#include "tessera/comm/nccl/preconnect.h"
#include "tessera/comm/nccl/status.h"
#include "tessera/cuda/device.h"
#include "tessera/cuda/status.h"

namespace tessera::comm {
namespace {

Result<void> CheckDevices(const std::vector<DeviceId>& devices) {
  if (devices.empty()) return Fail(Code::kInvalidArgument, "a group of no GPU");
  std::set<DeviceId> seen;
  for (DeviceId device : devices) {
    if (!seen.insert(device).second && !RanksMayShareGpus()) {
      return Fail(Code::kInvalidArgument, "GPU {} stands twice in the list; each rank needs its own",
                  device.value());
    }
    TRY(cuda::GetDeviceInfo(device));
  }
  return {};
}

// Before 2.29 NCCL takes it from the environment only, which is the process' and not ours to change.
void TellOfGraphMixing(int version) {
  const char* set = std::getenv("NCCL_GRAPH_MIXING_SUPPORT");
  if (set != nullptr && std::string_view(set) == "0") return;
  TESSERA_LOG(
      kInfo,
      "NCCL {}.{}, built for {}.{}: steps are shorter with NCCL_GRAPH_MIXING_SUPPORT=0 in the environment",
      version / 10000, version / 100 % 100, NCCL_MAJOR, NCCL_MINOR);
}

// A group's graphs run one after the other, each rank's on one stream, and no collective is issued beside
// one. So NCCL need not keep them apart with events inside, which take a microsecond or two of each launch,
// and were seen to hang where one thread launches all ranks' graphs. Source: NCCL's user guide,
// NCCL_GRAPH_MIXING_SUPPORT.
void OneGraphAtATime([[maybe_unused]] ncclConfig_t& config) {
  int version = 0;
  (void)ncclGetVersion(&version);
#if NCCL_VERSION_CODE >= NCCL_VERSION(2, 29, 0)
  config.graphUsageMode = 1;
  if (version >= NCCL_VERSION(2, 29, 0)) return;
#endif
  static std::once_flag told;
  std::call_once(told, TellOfGraphMixing, version);
}

// Issues the initialisation of all ranks from this thread.
Result<void> InitAll(const std::vector<DeviceId>& devices, std::vector<ncclComm_t>& comms, bool blocking) {
  ncclUniqueId id{};
  NCCL_TRY(nullptr, ncclGetUniqueId(&id));
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = blocking ? 1 : 0;
  // TensorRT may make children of its communicator for its contexts: these give up with it when it is
  // aborted. Source: NCCL 2.28, init.cc, ncclCommInitChildComm, abortFlag.
  config.splitShare = 1;
  OneGraphAtATime(config);
  NCCL_TRY(nullptr, ncclGroupStart());
  Result<void> issued;
  for (size_t r = 0; r < devices.size() && issued; ++r) {
    issued = [&]() -> Result<void> {
      TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(devices[r]));
      NCCL_TRY(nullptr, ncclCommInitRankConfig(&comms[r], static_cast<int>(devices.size()), id,
                                               static_cast<int>(r), &config));
      return {};
    }();
  }
  NCCL_TRY(nullptr, ncclGroupEnd());
  return issued;
}

// A call that failed may have made communicators, in part or whole: they are the caller's to end. Source:
// NCCL 2.28, init.cc, ncclCommInitRankFunc.
void AbortAll(std::vector<ncclComm_t>& comms) {
  for (ncclComm_t& comm : comms) {
    if (comm != nullptr) (void)ncclCommAbort(comm);
    comm = nullptr;
  }
}

}  // namespace

Result<std::shared_ptr<NcclGroup>> NcclGroup::Create(std::vector<DeviceId> devices, Calls calls,
                                                     Deadline deadline, const BeforeWork& before_work,
                                                     Use use, std::chrono::milliseconds work_limit) {
  TRY(CheckDevices(devices));
  std::shared_ptr<NcclGroup> group(new NcclGroup(std::move(devices)));
  Result<void> ready = group->Init(calls, deadline, before_work, use, work_limit);
  if (!ready) {
    group->Abort(ready.error());
    return Forward(std::move(ready));
  }
  return group;
}

Result<void> NcclGroup::Init(Calls calls, Deadline deadline, const BeforeWork& before_work, Use use,
                             std::chrono::milliseconds work_limit) {
  using Clock = std::chrono::steady_clock;
  auto millis = [](Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); };
  const Clock::time_point start = Clock::now();
  TRY(calls == Calls::kBlocking ? InitBlocking(deadline) : InitNonBlocking(deadline));
  const Clock::time_point made = Clock::now();
  Clock::time_point free = made;
  auto wait_for_gpus = [&]() -> Result<std::shared_ptr<void>> {
    auto held = before_work ? before_work() : std::shared_ptr<void>();
    free = Clock::now();
    return held;
  };
  TRY(OnGpus(wait_for_gpus, deadline, work_limit, [calls, use](NcclGroup& self, const GpuWork& work) {
    return self.ConnectFirst(calls, use, work);
  }));
  TESSERA_LOG(
      kDebug,
      "NCCL connected {} GPUs: communicators {:.1f} ms, waited for the GPUs {:.1f} ms, first collectives "
      "{:.1f} ms",
      world_size(), millis(made - start), millis(free - made), millis(Clock::now() - free));
  return {};
}

// A call of CUDA or NCCL that does not return is left to itself: nobody is kept off the GPUs for its sake.
Result<void> NcclGroup::OnGpus(const BeforeWork& before_work, Deadline deadline,
                               std::chrono::milliseconds limit, OnGpusCall call) {
  std::shared_ptr<void> held;
  if (before_work) {
    TRY_ASSIGN(held, before_work());
  }
  deadline = Sooner(deadline, Deadline::In(limit));
  auto back = std::make_shared<std::atomic<bool>>(false);
  auto run = [self = shared_from_this(), deadline, back, call = std::move(call)]() -> Result<void> {
    TRY_ASSIGN(const cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(self->devices_.front()));
    std::optional<InFlight> calling(std::in_place, *self);
    if (!calling->usable()) return tl::unexpected<Error>(*self->failure());
    // The communicators end when no call of them is in flight, and lanes are given back when they have.
    auto abort = [&](const Error& error) {
      calling.reset();
      self->Abort(error);
    };
    Result<void> done = call(*self, GpuWork{deadline, abort});
    *back = true;
    return done;
  };
  Result<void> ran = RunAside("tessera-nccl", std::move(run), deadline.Later(kStuckAfter));
  if (ran || ran.error().code != Code::kDeadline || aborted() || *back) return ran;
  return Fail(Code::kDeadline,
              "a call of CUDA or NCCL that connects {} GPUs does not return: it is left behind",
              world_size());
}

Result<void> NcclGroup::ConnectFirst(Calls calls, Use use, const GpuWork& work) {
  TRY(RunFirstCollectives(devices_, comms_, work.deadline, work.abort));
  if (use == Use::kAll) TRY(ConnectPairs(devices_, comms_, work.deadline, work.abort));
  has_pairs_ = use == Use::kAll;
  if (calls == Calls::kBlocking) {
    TRY_ASSIGN(anchors_, Anchors::Capture(devices_, comms_));
    anchored_ = true;
  }
  return {};
}

Result<void> NcclGroup::Connect(Use use, Deadline deadline, const BeforeWork& before_work) {
  if (use == Use::kCollectives || has_pairs_) return {};
  auto pairs = [](NcclGroup& self, const GpuWork& work) -> Result<void> {
    TRY(ConnectPairs(self.devices_, self.comms_, work.deadline, work.abort));
    self.has_pairs_ = true;
    return {};
  };
  Result<void> connected = OnGpus(before_work, deadline, kWorkLimit, pairs);
  if (!connected) Abort(connected.error());
  return connected;
}

Result<void> NcclGroup::InitNonBlocking(Deadline deadline) {
  TRY(InitAll(devices_, comms_, /*blocking=*/false));
  return WaitReady(comms_, deadline);
}

// A blocking initialisation cannot be aborted from outside: past the deadline its thread is left to itself.
Result<void> NcclGroup::InitBlocking(Deadline deadline) {
  auto comms = std::make_shared<std::vector<ncclComm_t>>(devices_.size());
  auto init = [comms, devices = devices_]() -> Result<void> {
    TRY_ASSIGN(const cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(devices.front()));
    Result<void> made = InitAll(devices, *comms, /*blocking=*/true);
    if (!made) AbortAll(*comms);
    return made;
  };
  auto late = [comms] {
    TESSERA_LOG(kWarning,
                "NCCL was done with connecting the GPUs after its deadline; the communicators are destroyed");
    AbortAll(*comms);
  };
  Result<void> made = RunAside("tessera-nccl", init, deadline, late);
  if (!made && made.error().code == Code::kDeadline) {
    return Fail(Code::kDeadline, "NCCL did not connect {} GPUs in its time", world_size());
  }
  TRY(std::move(made));
  comms_ = *comms;
  return {};
}

NcclGroup::~NcclGroup() {
  const Result<cuda::DeviceGuard> guard = cuda::DeviceGuard::Enter(devices_.front());
  anchors_ = Anchors();
  std::shared_ptr<Reaper> reaper;
  {
    MutexLock lock(mutex_);
    if (!reaper_) StartEnd(Reaper::How::kDestroy);
    reaper = reaper_;
  }
  if (reaper && !reaper->Wait(Deadline::In(kEndLimit))) {
    TESSERA_LOG(kError,
                "NCCL communicators of {} GPUs do not end and are leaked: a GPU hangs, or a CUDA graph that "
                "holds a collective lives on",
                world_size());
  }
}

Result<void> NcclGroup::Poll() {
  InFlight call(*this);
  if (!call.usable()) return tl::unexpected<Error>(*failure());
  for (int r = 0; r < world_size(); ++r) {
    ncclComm_t comm = comms_[static_cast<size_t>(r)];
    ncclResult_t status = ncclSuccess;
    const ncclResult_t asked = ncclCommGetAsyncError(comm, &status);
    if (!IsFine(asked)) status = asked;
    if (IsFine(status)) continue;
    tl::unexpected<Error> failed = FailedNccl(status, "NCCL", comm);
    failed.value().rank = r;
    Abort(failed.value());
    return failed;
  }
  return {};
}

void NcclGroup::Abort(const Error& reason) noexcept {
  MutexLock lock(mutex_);
  if (failure_) return;
  failure_ = reason;
  aborted_.store(true);
  StartEnd(Reaper::How::kAbort);
}

void NcclGroup::StartEnd(Reaper::How how) {
  std::vector<ncclComm_t> live;
  for (ncclComm_t comm : comms_) {
    if (comm != nullptr) live.push_back(comm);
  }
  if (!live.empty()) reaper_ = Reaper::Start(std::move(live), devices_.front(), how, in_flight_, anchored_);
}

std::optional<Error> NcclGroup::failure() const {
  MutexLock lock(mutex_);
  return failure_;
}

}  // namespace tessera::comm
