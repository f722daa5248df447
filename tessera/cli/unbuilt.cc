#include "tessera/cli/unbuilt.h"

#include "tessera/cli/half_ranks.h"
#include "tessera/graph/onnx.h"

namespace tessera::cli {

Result<plan::Plan> Unbuilt(plan::Plan plan, const std::filesystem::path& version) {
  if (!plan.build) return plan;
  for (size_t r = 0; r < plan.ranks.size(); ++r) {
    plan.ranks[r].model = plan.build->sources[r].model;
    plan.ranks[r].weights = plan.build->sources[r].weights;
  }
  const bool half = plan.build->half != DType::kUndefined;
  plan.build.reset();
  if (!half) return plan;
  TRY_ASSIGN(const graph::Graph first, graph::ReadOnnx(version / plan.ranks.front().model.file));
  TRY_ASSIGN(plan.collectives, CarriedBy(first, plan));
  return plan;
}

}  // namespace tessera::cli
