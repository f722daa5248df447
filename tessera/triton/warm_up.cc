#include "tessera/triton/warm_up.h"

#include <algorithm>

#include "tessera/base/log.h"

namespace tessera::triton {
namespace {

class Nowhere final : public exec::OutputTarget {
 public:
  Result<Region> Place(int, DType, const Shape&) override { return Region{}; }
};

Result<void> CheckNames(const exec::Executor& executor, const GraphSpec& spec) {
  for (const auto& [name, shape] : spec.inputs) {
    const bool known = std::any_of(executor.inputs().begin(), executor.inputs().end(),
                                   [&name = name](const TensorSpec& input) { return input.name == name; });
    if (!known) return Fail(Code::kInvalidArgument, "the model has no input '{}'", name);
  }
  return {};
}

Result<void> Run(exec::Executor& executor, const GraphSpec& spec, Deadline deadline) {
  TRY(CheckNames(executor, spec));
  std::vector<std::vector<std::byte>> zeros;
  std::vector<TensorView> inputs;
  for (const TensorSpec& input : executor.inputs()) {
    if (input.on_host) {
      return Fail(Code::kUnsupported, "input '{}' is a shape tensor, whose values no graph_spec tells",
                  input.name);
    }
    TRY_ASSIGN(Shape shape, ShapeInGraph(spec, input.name, input.shape));
    zeros.emplace_back(BytesOf(input.type, shape).value());
    inputs.push_back({input.type, std::move(shape), HostRegion(Bytes(zeros.back()))});
  }
  Nowhere target;
  TRY(executor.Infer(inputs, target, deadline));
  return {};
}

}  // namespace

Result<void> WarmUp(exec::Executor& executor, const std::vector<GraphSpec>& specs, Deadline deadline) {
  for (const GraphSpec& spec : specs) {
    if (auto ran = Run(executor, spec, deadline); !ran) {
      return Fail(ran.error().code, "a shape of optimization.cuda.graph_spec: {}", ran.error().message);
    }
  }
  if (!specs.empty()) TESSERA_LOG(kInfo, "{} shapes of optimization.cuda.graph_spec were run", specs.size());
  return {};
}

}  // namespace tessera::triton
