#include "tessera/engine/tensorrt/engine_validity.h"

#include <NvInferVersion.h>

#include <array>
#include <string_view>
#include <utility>

namespace tessera::engine {

#if defined(TRT_MAJOR_RTX)
namespace {

using Diagnostics = nvinfer1::EngineInvalidityDiagnostics;

constexpr std::array<std::pair<Diagnostics, std::string_view>, 7> kReasons{{
    {Diagnostics::kVERSION_MISMATCH, "another version of TensorRT-RTX built it"},
    {Diagnostics::kUNSUPPORTED_CC, "it was not built for this GPU's compute capability"},
    {Diagnostics::kOLD_CUDA_DRIVER, "CUDA's driver is older than where it was built"},
    {Diagnostics::kOLD_CUDA_RUNTIME, "CUDA's runtime is older than where it was built"},
    {Diagnostics::kINSUFFICIENT_GPU_MEMORY, "the GPU's memory does not hold its weights"},
    {Diagnostics::kMALFORMED_ENGINE, "it is no engine"},
    {Diagnostics::kCUDA_ERROR, "CUDA's driver or runtime does not work"},
}};

}  // namespace

Result<std::string> WhyNotForHere(const nvinfer1::IRuntime& runtime, const PlanReader& engine) {
  const int64_t size = runtime.getEngineHeaderSize();
  TRY_ASSIGN(const std::vector<std::byte> head, engine.Head(static_cast<size_t>(size)));
  if (static_cast<int64_t>(head.size()) < size) return "it is shorter than an engine's header";
  uint64_t found = 0;
  if (runtime.getEngineValidity(head.data(), size, &found) != nvinfer1::EngineValidity::kINVALID) return "";
  std::string reasons;
  for (const auto& [diagnostic, reason] : kReasons) {
    if ((found & static_cast<uint64_t>(diagnostic)) == 0) continue;
    reasons += (reasons.empty() ? "" : "; ") + std::string(reason);
  }
  return reasons.empty() ? "no reason given" : reasons;
}
#else
Result<std::string> WhyNotForHere(const nvinfer1::IRuntime& /*runtime*/, const PlanReader& /*engine*/) {
  return "";
}
#endif

}  // namespace tessera::engine
