#include "tessera/plan/runtime.h"

#include <fmt/ranges.h>

#include <algorithm>

namespace tessera::plan {

bool IsUnbuilt(const Plan& plan) {
  return plan.engine == "tensorrt" && plan.ranks.front().model.file.find(".onnx") != std::string::npos;
}

Result<void> CheckBuilt(const Plan& plan) {
  if (!IsUnbuilt(plan)) return {};
  return Fail(
      Code::kInvalidArgument,
      "'{}' of '{}' is an ONNX file, wanted a TensorRT engine: `tessera build` makes the ranks' engines",
      plan.ranks.front().model.file, plan.model_name);
}

Result<void> CheckRuntime(const Build& build, const Runtime& runtime) {
  const bool same_version = build.version == runtime.version || runtime.any_version;
  if (build.library != runtime.library || !same_version) {
    return Fail(Code::kUnsupported,
                "the engines were built by {} {}, this program runs {} {}: build them again with it",
                build.library, build.version, runtime.library, runtime.version);
  }
  for (size_t rank = 0; rank < runtime.compute_capabilities.size(); ++rank) {
    const std::string& here = runtime.compute_capabilities[rank];
    const auto& built_for = build.compute_capabilities;
    if (std::find(built_for.begin(), built_for.end(), here) != built_for.end()) continue;
    return Fail(Code::kUnsupported,
                "rank {}: its GPU has compute capability {}, the engines were built for {}: build them again "
                "for it",
                rank, here, fmt::to_string(fmt::join(built_for, ", ")));
  }
  return {};
}

}  // namespace tessera::plan
