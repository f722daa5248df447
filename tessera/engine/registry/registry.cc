#include "tessera/engine/registry/registry.h"

#include "tessera/engine/openvino/openvino_engine.h"
#ifdef TESSERA_WITH_TENSORRT
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
  return MakeTensorRtEngine(std::move(tensorrt));
}
#else
Result<std::unique_ptr<Engine>> MakeTensorRt(const EngineOptions&) {
  return Fail(
      Code::kUnsupported,
      "engine 'tensorrt' is not in this build: configure with -DTRITON_ENABLE_TENSORRT_MULTI_DEVICE=ON");
}
#endif

}  // namespace

Result<std::unique_ptr<Engine>> MakeEngine(std::string_view name, const EngineOptions& options) {
  if (name == "openvino") return MakeOpenVinoEngine({options.threads_per_rank, {}});
  if (name == "tensorrt") return MakeTensorRt(options);
  return Fail(Code::kInvalidArgument, "unknown engine '{}', wanted openvino or tensorrt", name);
}

}  // namespace tessera::engine
