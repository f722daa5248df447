#include "tessera/cli/model_pair.h"

#include "tessera/cli/whole_model.h"
#include "tessera/engine/registry/registry.h"
#include "tessera/graph/index_bounds.h"
#include "tessera/graph/onnx.h"
#include "tessera/graph/openvino/openvino_shape_oracle.h"

namespace tessera::cli {
namespace {

Result<std::map<std::string, int64_t>> BoundsOf(const std::filesystem::path& model) {
  TRY_ASSIGN(graph::Graph graph, graph::ReadOnnx(model));
  TRY(graph::MakeOpenVinoShapeOracle()->Infer(graph));  // the length of a table that is computed
  return graph::IndexBounds(graph);
}

}  // namespace

Result<ModelPair> LoadPair(const std::filesystem::path& version, const std::filesystem::path& original) {
  TRY_ASSIGN(const plan::Plan plan, plan::ReadPlan(version));
  if (!original.empty()) TRY(CheckSource(plan, original));
  ModelPair pair;
  TRY_ASSIGN(pair.engine, engine::MakeEngine(plan.engine));
  exec::Options untried;
  untried.probe = false;  // what is to be found out here
  TRY_ASSIGN(auto executor, exec::Executor::Create(version, *pair.engine, untried));
  pair.sharded = MakeRunner(std::move(executor));
  if (original.empty()) return pair;
  TRY_ASSIGN(pair.whole, LoadWholeModel(plan, original, *pair.engine));
  TRY_ASSIGN(pair.index_bounds, BoundsOf(original));
  return pair;
}

}  // namespace tessera::cli
