#include "tessera/engine/registry/registry.h"

#include "tessera/engine/openvino/openvino_engine.h"

namespace tessera::engine {

Result<std::unique_ptr<Engine>> MakeEngine(std::string_view name, const EngineOptions& options) {
  if (name == "openvino") return MakeOpenVinoEngine({options.threads_per_rank, {}});
  if (name == "tensorrt") {
    return Fail(
        Code::kUnsupported,
        "engine 'tensorrt' is not in this build: configure with -DTRITON_ENABLE_TENSORRT_MULTI_DEVICE=ON");
  }
  return Fail(Code::kInvalidArgument, "unknown engine '{}', wanted openvino or tensorrt", name);
}

}  // namespace tessera::engine
