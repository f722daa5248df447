#include "tessera/engine/registry/registry.h"

#include "tessera/engine/openvino/openvino_engine.h"
#ifdef TESSERA_WITH_TENSORRT
#include "tessera/engine/tensorrt/gpu_facts.h"
#include "tessera/engine/tensorrt/tensorrt_engine.h"
#endif

namespace tessera::engine {
namespace {

#ifdef TESSERA_WITH_TENSORRT
Result<std::unique_ptr<Engine>> MakeTensorRt(const EngineOptions& options) {
  TensorRtOptions tensorrt;
  tensorrt.devices = options.devices;
  tensorrt.cuda_graphs = options.cuda_graphs;
  tensorrt.step_limit = options.step_limit;
  tensorrt.replication = options.replication;
  tensorrt.profiles = options.profiles;
  tensorrt.model_profiles = options.model_profiles;
  tensorrt.static_contexts = options.static_contexts;
  tensorrt.least_priority = options.least_priority;
  tensorrt.plugins = options.plugins;
  tensorrt.version_compatible = options.version_compatible;
  tensorrt.spare_connections = options.spare_connections;
  tensorrt.map_plans = options.map_plans;
  tensorrt.steps_in_flight = options.steps_in_flight;
  return MakeTensorRtEngine(std::move(tensorrt));
}
#else
tl::unexpected<Error> NotInThisBuild() {
  return Fail(
      Code::kUnsupported,
      "engine 'tensorrt' is not in this build: configure with -DTRITON_ENABLE_TENSORRT_MULTI_DEVICE=ON");
}

Result<std::unique_ptr<Engine>> MakeTensorRt(const EngineOptions&) {
  return NotInThisBuild();
}
#endif

}  // namespace

Result<std::unique_ptr<Engine>> MakeEngine(std::string_view name, const EngineOptions& options) {
  if (name == "openvino") return MakeOpenVinoEngine({options.threads_per_rank, {}});
  if (name == "tensorrt") return MakeTensorRt(options);
  return Fail(Code::kInvalidArgument, "unknown engine '{}', wanted openvino or tensorrt", name);
}

#ifdef TESSERA_WITH_TENSORRT
Result<std::string> ComputeCapability(DeviceId gpu) {
  return ComputeCapabilityOf(gpu);
}

Result<std::string> GpuUuid(DeviceId gpu) {
  return UuidOf(gpu);
}

Result<double> GpuMemoryInUse(DeviceId gpu) {
  return MemoryInUseOf(gpu);
}

Result<void> ConnectAhead(const std::vector<DeviceId>& gpus) {
  return ConnectGpus(gpus);
}

Result<std::string> TensorRtVersion() {
  return TensorRtVersionHere();
}

Result<void> CheckSeveralGpus() {
  return SupportsSeveralGpus();
}
#else
Result<void> ConnectAhead(const std::vector<DeviceId>&) {
  return NotInThisBuild();
}

Result<std::string> ComputeCapability(DeviceId) {
  return NotInThisBuild();
}

Result<std::string> GpuUuid(DeviceId) {
  return NotInThisBuild();
}

Result<double> GpuMemoryInUse(DeviceId) {
  return NotInThisBuild();
}

Result<std::string> TensorRtVersion() {
  return NotInThisBuild();
}

Result<void> CheckSeveralGpus() {
  return NotInThisBuild();
}
#endif

}  // namespace tessera::engine
