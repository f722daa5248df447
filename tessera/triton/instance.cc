#include "tessera/triton/instance.h"

#include <algorithm>

#include "tessera/base/aside.h"
#include "tessera/base/log.h"
#include "tessera/triton/error.h"
#include "tessera/triton/log.h"
#include "tessera/triton/warm_up.h"

namespace tessera::triton {

namespace {

constexpr std::chrono::seconds kRoundLimit{10};

Result<std::optional<DeviceId>> GpuOf(TRITONBACKEND_ModelInstance* instance) {
  TRITONSERVER_InstanceGroupKind kind = TRITONSERVER_INSTANCEGROUPKIND_AUTO;
  TRY(Check(TRITONBACKEND_ModelInstanceKind(instance, &kind)));
  if (kind != TRITONSERVER_INSTANCEGROUPKIND_GPU) return std::nullopt;
  int32_t device = 0;
  TRY(Check(TRITONBACKEND_ModelInstanceDeviceId(instance, &device)));
  return DeviceId(device);
}

// As the configuration was checked when the model was loaded: a server that gets another instance_group makes
// instances of a model that it keeps.
Result<void> CheckServed(TRITONBACKEND_ModelInstance* instance) {
  bool passive = false;
  TRY(Check(TRITONBACKEND_ModelInstanceIsPassive(instance, &passive)));
  if (passive) {
    return Fail(Code::kUnsupported,
                "its instance_group is passive, which ends the server with its first request");
  }
  uint32_t secondary = 0;
  TRY(Check(TRITONBACKEND_ModelInstanceSecondaryDeviceCount(instance, &secondary)));
  if (secondary == 0) return {};
  return Fail(Code::kUnsupported, "its instance_group lists secondary_devices (DLA), which is not served");
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

}  // namespace

Result<std::unique_ptr<Instance>> Instance::Create(TRITONBACKEND_ModelInstance* instance, Model& model) {
  TRY(CheckServed(instance));
  TRY_ASSIGN(const Place place, PlaceOf(instance));
  TRY_ASSIGN(LoadedModel loaded, model.Take(place));
  const Settings& settings = model.settings();
  TRY(WarmUp(*loaded.executor, settings.optimization.graph_specs, Deadline::In(settings.load_limit)));
  TRY_ASSIGN(StepWatch slow, StepWatch::Create());
  TRY_ASSIGN(std::vector<Counter> * rank_times, model.RankTimesAt(place));
  std::unique_ptr<Instance> made(
      new Instance(instance, model, std::move(loaded), std::move(slow), *rank_times));
  TRY(made->MakeRounds());
  return made;
}

// One more than the steps that are under way: its requests are read, or answered, meanwhile.
Result<void> Instance::MakeRounds() {
  const int steps = loaded_.executor->steps_in_flight();
  for (int round = 0; round < (steps > 1 ? steps + 1 : 1); ++round) {
    TRY_ASSIGN(std::unique_ptr<Round> made, MakeRound());
    if (made->device) {
      signature_.memory = MemoryKind::kDevice;
      signature_.device = *made->device;
    }
    rounds_.Add(std::move(made));
  }
  return {};
}

Result<std::unique_ptr<Round>> Instance::MakeRound() const {
  auto make = [engine = loaded_.engine]() -> Result<std::unique_ptr<Round>> {
    TRY_ASSIGN(std::unique_ptr<engine::Mover> in, engine->MakeMover());
    TRY_ASSIGN(std::unique_ptr<engine::Mover> out, engine->MakeMover());
    return std::make_unique<Round>(std::move(in), std::move(out));
  };
  return MakeAside("tessera-round", make, Deadline::In(kRoundLimit));
}

// Requests whose steps hang while they are issued have their rounds for good: others come in their place.
Result<Round*> Instance::TakeRound() {
  // A step that hangs, and a reload that the next request waits for in vain.
  const std::chrono::milliseconds patience = 2 * (model_.settings().step_limit + exec::kHangGrace);
  while (true) {
    if (Round* round = rounds_.Take(patience)) return round;
    TESSERA_LOG(kWarning, "model '{}': no step ends; requests go on beside those that hang", model_.name());
    TRY_ASSIGN(std::unique_ptr<Round> made, MakeRound());
    rounds_.Add(std::move(made));
  }
}

Instance::~Instance() {
  rounds_.AwaitAll();
}

Result<void> Instance::CheckReady() const {
  if (loaded_.executor->ready()) return {};
  return Fail(Code::kUnavailable, "the ranks have failed and are being loaded anew");
}

void Instance::Execute(std::span<TRITONBACKEND_Request* const> requests) {
  FollowServerVerbosity();
  const uint64_t exec_start = NowNs();
  std::vector<Request> owned;
  owned.reserve(requests.size());
  for (TRITONBACKEND_Request* r : requests) owned.emplace_back(r, signature_);
  // From here on the requests are ours: an exception is answered here, for the server would answer once more.
  TRITONSERVER_Error* error = Guarded([&] { return Serve(owned, exec_start); });
  if (auto served = Check(error); !served) {
    for (Request& request : owned) {
      if (request.held() && !request.answered()) Refuse(request, served.error(), exec_start);
    }
  }
}

// A request that no step takes.
void Instance::Refuse(Request& request, const Error& why, uint64_t exec_start) noexcept {
  request.AnswerError(why);
  const uint64_t now = NowNs();
  request.Report(instance_, {exec_start, now, now, now});
}

Result<void> Instance::Serve(std::span<Request> requests, uint64_t exec_start) {
  std::vector<Request*> good;
  good.reserve(requests.size());
  for (Request& request : requests) {
    if (auto read = request.Read(); read) {
      good.push_back(&request);
    } else {
      Refuse(request, read.error(), exec_start);
    }
  }
  for (auto step : GroupForSteps(good, signature_.batched)) {
    TRY_ASSIGN(Round* const round, TakeRound());
    slow_.Begin();
    const Result<void> run = Check(Guarded([&]() -> Result<void> {
      round->Take(step, exec_start);
      return Run(*round);
    }));
    if (!run) Release(*round, run);  // it never came to the executor
  }
  return {};
}

// Whatever happens to the step is Finish's; an error is from before it.
Result<void> Instance::Run(Round& round) {
  TRY_ASSIGN(const std::span<const TensorView> inputs,
             round.inputs.Gather(round.order, Deadline::In(model_.settings().step_limit)));
  round.outputs.Start(round.order, signature_);
  round.times.compute_start = NowNs();
  exec::Executor& executor = *loaded_.executor;
  if (executor.steps_in_flight() > 1) {
    executor.Start(inputs, round.outputs,
                   [this, &round](Result<exec::InferReport> report) { Finish(round, std::move(report)); });
  } else {
    Finish(round, executor.Infer(inputs, round.outputs, Deadline::In(model_.settings().step_limit)));
  }
  return {};
}

void Instance::Finish(Round& round, Result<exec::InferReport> report) noexcept {
  round.times.compute_end = NowNs();
  // While it waited for the step before, it was not computed.
  const uint64_t before = last_compute_end_.exchange(round.times.compute_end);
  round.times.compute_start = std::clamp(before, round.times.compute_start, round.times.compute_end);
  Release(round, Check(Guarded([&] { return Conclude(round, std::move(report)); })));
}

Result<void> Instance::Conclude(Round& round, Result<exec::InferReport> report) {
  if (!report) {
    CountFailure(report.error());
    return Forward(std::move(report));
  }
  model_.CountStep(*report, rank_times_);
  return round.outputs.Finish(Deadline::In(model_.settings().step_limit));
}

void Instance::Release(Round& round, const Result<void>& done) noexcept {
  round.Answer(done);
  round.times.exec_end = NowNs();
  round.Report(instance_);
  round.order.clear();
  round.requests.clear();
  slow_.End();
  rounds_.Give(round);
}

// A request that does not fit is the client's affair; all else stopped the ranks, and the operator wants to
// know.
void Instance::CountFailure(const Error& error) {
  if (error.code == Code::kInvalidArgument) return;
  model_.CountFailure();
  TESSERA_LOG(kError, "model '{}': step failed, {}: {}", model_.name(), CodeName(error.code),
              error.ToString());
}

}  // namespace tessera::triton
