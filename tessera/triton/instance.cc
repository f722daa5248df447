#include "tessera/triton/instance.h"

#include "tessera/base/log.h"
#include "tessera/base/unfinished.h"
#include "tessera/triton/error.h"
#include "tessera/triton/warm_up.h"

namespace tessera::triton {

namespace {

// A step that takes longer may hang. By now the server itself may have begun what would wait for it at the
// exit: CUDA, when a client shared its GPU memory.
constexpr std::chrono::seconds kSlow{1};

Result<std::optional<DeviceId>> GpuOf(TRITONBACKEND_ModelInstance* instance) {
  TRITONSERVER_InstanceGroupKind kind = TRITONSERVER_INSTANCEGROUPKIND_AUTO;
  TRY(Check(TRITONBACKEND_ModelInstanceKind(instance, &kind)));
  if (kind != TRITONSERVER_INSTANCEGROUPKIND_GPU) return std::nullopt;
  int32_t device = 0;
  TRY(Check(TRITONBACKEND_ModelInstanceDeviceId(instance, &device)));
  return DeviceId(device);
}

Result<Place> PlaceOf(TRITONBACKEND_ModelInstance* instance) {
  Place place;
  TRY_ASSIGN(place.gpu, GpuOf(instance));
  uint32_t count = 0;
  TRY(Check(TRITONBACKEND_ModelInstanceProfileCount(instance, &count)));
  std::vector<std::string> names;
  for (uint32_t i = 0; i < count; ++i) {
    const char* name = nullptr;
    TRY(Check(TRITONBACKEND_ModelInstanceProfileName(instance, i, &name)));
    names.emplace_back(name);
  }
  TRY_ASSIGN(place.profiles, ReadProfiles(names));
  return place;
}

Signature NearRanks(Signature signature, const engine::Mover* mover) {
  if (mover == nullptr) return signature;
  signature.memory = MemoryKind::kDevice;
  signature.device = mover->device();
  return signature;
}

}  // namespace

Result<std::unique_ptr<Instance>> Instance::Create(TRITONBACKEND_ModelInstance* instance, Model& model) {
  TRY_ASSIGN(const Place place, PlaceOf(instance));
  TRY_ASSIGN(LoadedModel loaded, model.Take(place));
  const Settings& settings = model.settings();
  TRY(WarmUp(*loaded.executor, settings.optimization.graph_specs, Deadline::In(settings.load_limit)));
  TRY_ASSIGN(std::unique_ptr<engine::Watchdog> slow, engine::Watchdog::Create(ExitDespiteSlowStep));
  TRY_ASSIGN(std::unique_ptr<engine::Mover> in, loaded.engine->MakeMover());
  TRY_ASSIGN(std::unique_ptr<engine::Mover> out, loaded.engine->MakeMover());
  return std::unique_ptr<Instance>(
      new Instance(instance, model, std::move(loaded), std::move(slow), std::move(in), std::move(out)));
}

Instance::Instance(TRITONBACKEND_ModelInstance* instance, Model& model, LoadedModel loaded,
                   std::unique_ptr<engine::Watchdog> slow, std::unique_ptr<engine::Mover> in,
                   std::unique_ptr<engine::Mover> out)
    : instance_(instance),
      model_(model),
      loaded_(std::move(loaded)),
      slow_(std::move(slow)),
      signature_(NearRanks(model.signature(), in.get())),
      inputs_(std::move(in)),
      outputs_(std::move(out)) {}

void Instance::Execute(std::span<TRITONBACKEND_Request* const> requests) {
  const uint64_t exec_start = NowNs();
  std::vector<Request> owned;
  owned.reserve(requests.size());
  for (TRITONBACKEND_Request* r : requests) owned.emplace_back(r, signature_);
  // From here on the requests are ours: an exception is answered here, for the server would answer once more.
  TRITONSERVER_Error* error = Guarded([&]() -> Result<void> {
    Serve(owned, exec_start);
    return {};
  });
  if (auto served = Check(error); !served) {
    for (Request& request : owned) {
      if (!request.answered()) request.AnswerError(served.error());
    }
  }
}

void Instance::Serve(std::span<Request> requests, uint64_t exec_start) {
  std::vector<Request*> good;
  good.reserve(requests.size());
  for (Request& request : requests) {
    if (auto read = request.Read(); read) {
      good.push_back(&request);
    } else {
      request.AnswerError(read.error());
      const uint64_t now = NowNs();
      request.Report(instance_, {exec_start, now, now, now});
    }
  }
  for (auto step : GroupForSteps(good, signature_.batched)) RunStep(step, exec_start);
}

void Instance::RunStep(std::span<Request* const> requests, uint64_t exec_start) {
  Timeline times{exec_start, exec_start, exec_start, exec_start};
  auto done = Infer(requests, times);
  for (Request* request : requests) {
    if (request->answered()) continue;
    if (done) {
      request->Answer();
    } else {
      request->AnswerError(done.error());
    }
  }
  times.exec_end = NowNs();
  Report(requests, times);
}

Result<void> Instance::Infer(std::span<Request* const> requests, Timeline& times) {
  const Deadline deadline = Deadline::In(model_.settings().step_limit);
  TRY_ASSIGN(const std::span<const TensorView> inputs, inputs_.Gather(requests, deadline));
  outputs_.Start(requests, signature_);
  times.compute_start = NowNs();
  slow_->Arm(Deadline::In(kSlow));
  auto report = loaded_.executor->Infer(inputs, outputs_, deadline);
  slow_->Disarm();
  times.compute_end = NowNs();
  if (!report) {
    CountFailure(report.error());
    return Forward(std::move(report));
  }
  model_.CountStep(*report);
  return outputs_.Finish(deadline);
}

// A request that does not fit is the client's affair; all else stopped the ranks, and the operator wants to
// know.
void Instance::CountFailure(const Error& error) {
  if (error.code == Code::kInvalidArgument) return;
  model_.CountFailure();
  TESSERA_LOG(kError, "model '{}': step failed, {}: {}", model_.name(), CodeName(error.code),
              error.ToString());
}

void Instance::Report(std::span<Request* const> requests, const Timeline& times) noexcept {
  uint64_t batch = 0;
  for (const Request* request : requests) {
    request->Report(instance_, times);
    batch += static_cast<uint64_t>(request->batch_size());
  }
  Discard(TRITONBACKEND_ModelInstanceReportBatchStatistics(
      instance_, batch, times.exec_start, times.compute_start, times.compute_end, times.exec_end));
}

}  // namespace tessera::triton
