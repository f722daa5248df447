#include "tessera/cli/model_pair.h"

#include "tessera/cli/unbuilt.h"
#include "tessera/cli/whole_model.h"
#include "tessera/engine/registry/registry.h"
#include "tessera/graph/index_bounds.h"
#include "tessera/graph/onnx.h"
#include "tessera/graph/openvino/openvino_shape_oracle.h"
#include "tessera/plan/runtime.h"

namespace tessera::cli {
namespace {

constexpr const char* kOpenVino = "openvino";

Result<std::map<std::string, int64_t>> BoundsOf(const std::filesystem::path& model) {
  TRY_ASSIGN(graph::Graph graph, graph::ReadOnnx(model));
  TRY(graph::MakeOpenVinoShapeOracle()->Infer(graph));  // the length of a table that is computed
  return graph::IndexBounds(graph);
}

// The plan, with ONNX files for ranks where the CPU is to run them.
Result<plan::Plan> PlanToRun(const std::filesystem::path& version, RanksOn ranks_on, ModelPair& pair) {
  TRY_ASSIGN(plan::Plan plan, plan::ReadPlan(version));
  const bool on_cpu = ranks_on == RanksOn::kCpu || (ranks_on == RanksOn::kWhatIsThere && IsUnbuilt(plan));
  pair.in_place_of_engines = on_cpu && plan.engine != kOpenVino;
  if (!pair.in_place_of_engines) return plan;
  TRY_ASSIGN(plan, Unbuilt(std::move(plan), version));
  plan.engine = kOpenVino;
  return plan;
}

Result<std::unique_ptr<Runner>> LoadRanks(const plan::Plan& plan, const std::filesystem::path& version,
                                          engine::Engine& engine) {
  TRY(plan::VerifyArtifacts(plan, version));
  exec::Options untried;
  untried.probe = false;  // what is to be found out here
  TRY_ASSIGN(auto executor, exec::Executor::Create(plan, version, engine, untried));
  return MakeRunner(std::move(executor));
}

}  // namespace

Result<ModelPair> LoadPair(const std::filesystem::path& version, const std::filesystem::path& original,
                           RanksOn ranks_on) {
  ModelPair pair;
  TRY_ASSIGN(const plan::Plan plan, PlanToRun(version, ranks_on, pair));
  if (!original.empty()) TRY(CheckSource(plan, original));
  TRY_ASSIGN(pair.engine, engine::MakeEngine(plan.engine));
  TRY_ASSIGN(pair.sharded, LoadRanks(plan, version, *pair.engine));
  if (original.empty()) return pair;
  TRY_ASSIGN(pair.whole_engine, engine::MakeEngine(kOpenVino));
  TRY_ASSIGN(pair.whole, LoadWholeModel(plan, original, *pair.whole_engine));
  TRY_ASSIGN(pair.index_bounds, BoundsOf(original));
  return pair;
}

}  // namespace tessera::cli
