#include "tessera/shard/shard.h"

#include <fmt/format.h>

#include "tessera/base/sha256.h"
#include "tessera/graph/index_bounds.h"
#include "tessera/graph/onnx.h"
#include "tessera/shard/collective_names.h"
#include "tessera/shard/compile.h"
#include "tessera/shard/engine_dialect.h"
#include "tessera/shard/known_elements.h"
#include "tessera/shard/local_symbols.h"
#include "tessera/shard/report/report.h"
#include "tessera/shard/rule.h"
#include "tessera/shard/slices.h"
#include "tessera/shard/trace.h"
#include "tessera/shard/write_ranks.h"

namespace tessera::shard {
namespace {

constexpr const char* kConfiguration = "tessera";  // the name of what --annotated writes

plan::Layout LayoutOf(const State& state) {
  if (!state.split()) return {};
  return {plan::Layout::Kind::kSplit, state.axis, Rank{0}};
}

plan::TensorPlan TensorPlanOf(const graph::Graph& graph, graph::ValueId id, const State& state) {
  const graph::Value& value = graph.value(id);
  plan::TensorPlan tensor;
  tensor.spec = {value.name, value.type, value.shape};
  tensor.layout = LayoutOf(state);
  for (size_t d = 0; d < value.shape.size(); ++d) {
    const int32_t symbol = value.shape[d] == kDynamic && d < value.symbols.size() ? value.symbols[d] : -1;
    const bool named = symbol >= 0 && static_cast<size_t>(symbol) < graph.symbol_names.size();
    tensor.dim_names.push_back(named ? graph.symbol_names[static_cast<size_t>(symbol)] : "");
  }
  return tensor;
}

// The multiples that a plan's cuts inside the graph rely on; empty where none is wanted.
std::vector<int64_t> MultiplesOf(const graph::Value& value, const Compiled& compiled) {
  std::vector<int64_t> multiples;
  bool any = false;
  for (size_t d = 0; d < value.shape.size(); ++d) {
    const bool divides = value.shape[d] == kDynamic && compiled.divisible.contains(SymbolOf(value, d));
    multiples.push_back(divides ? compiled.model.parts : 1);
    any = any || divides;
  }
  return any ? multiples : std::vector<int64_t>{};
}

Result<void> CheckInterface(const graph::Graph& graph) {
  const auto check = [&](const std::vector<graph::ValueId>& ids, const char* kind) -> Result<void> {
    for (const graph::ValueId id : ids) {
      if (graph.value(id).has_shape && graph.value(id).type != DType::kUndefined) continue;
      return Fail(Code::kUnsupported,
                  "{} '{}': its type and number of dimensions are not known, wanted a tensor", kind,
                  graph.value(id).name);
    }
    return {};
  };
  TRY(check(graph.inputs(), "input"));
  return check(graph.outputs(), "output");
}

uint64_t InitializerBytes(const graph::Graph& graph) {
  uint64_t bytes = 0;
  for (const graph::Value& value : graph.values()) {
    if (value.constant) bytes += value.constant->bytes.size();
  }
  return bytes;
}

// But for what is known once the ranks' files are written.
plan::Plan PlanOf(const graph::Graph& graph, const Compiled& compiled, const Options& options,
                  const std::map<std::string, int64_t>& index_bounds) {
  plan::Plan plan;
  plan.model_name = options.name;
  plan.strategy = compiled.taken.strategy;
  plan.engine = options.engine;
  plan.mesh = {{compiled.axis, compiled.model.parts}};
  plan.collectives = compiled.model.collectives;
  plan.predicted_us = compiled.taken.predicted_us;
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    plan::TensorPlan& input =
        plan.inputs.emplace_back(TensorPlanOf(graph, graph.inputs()[i], compiled.model.inputs[i]));
    input.multiples = MultiplesOf(graph.value(graph.inputs()[i]), compiled);
    const auto bound = index_bounds.find(input.spec.name);
    if (bound != index_bounds.end()) input.index_bound = bound->second;
  }
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    plan.outputs.push_back(TensorPlanOf(graph, graph.outputs()[i], compiled.model.outputs[i]));
  }
  return plan;
}

Outcome OutcomeOf(const graph::Graph& graph, const Compiled& compiled, plan::Plan plan) {
  Outcome outcome;
  outcome.plan = std::move(plan);
  outcome.weight_bytes = ByteCount{InitializerBytes(graph)};
  outcome.taken = compiled.taken;
  outcome.alternatives = compiled.alternatives;
  outcome.pareto = compiled.pareto;
  outcome.machine = compiled.machine;
  outcome.reason = compiled.reason;
  outcome.collective_us = compiled.model.collective_us;
  return outcome;
}

}  // namespace

Result<Outcome> ShardModel(const std::filesystem::path& model, const Options& options,
                           graph::ShapeOracle& oracle, const std::filesystem::path& directory,
                           const Progress& progress) {
  progress("reading", 0.0);
  TRY_ASSIGN(graph::Graph graph, graph::ReadOnnx(model, {.settle_branches = true}));
  progress("shapes", 0.1);
  TRY(oracle.Infer(graph));
  const std::map<std::string, int64_t> index_bounds = graph::IndexBounds(graph);
  std::vector<Hint> hints;
  if (!options.ignore_annotations) {
    TRY_ASSIGN(hints, HintsOf(graph, options.ranks));
  }
  SplitWhereSliced(graph);
  RefineShapes(graph);
  TRY(CheckInterface(graph));
  progress("searching", 0.3);
  TRY_ASSIGN(Compiled compiled, Compile(graph, options, hints));
  MakeCollectiveNamesUnique(compiled.model);
  NameLocalSizes(compiled.model);
  SpeakDialect(options.engine, compiled.model.graph);
  progress("writing", 0.5);
  plan::Plan plan = PlanOf(graph, compiled, options, index_bounds);
  if (plan.model_name.empty()) plan.model_name = model.stem().string();
  TRY_ASSIGN(plan.ranks, WriteRanks(compiled.model, directory, [&](int written) {
               progress("writing", 0.5 + 0.4 * written / compiled.model.parts);
             }));
  TRY_ASSIGN(plan.source_sha256, Sha256OfFile(model));
  TRY(plan::WritePlan(plan, directory));
  if (options.trace) TRY(WriteTrace(TraceOf(graph, compiled.model), directory));
  Outcome outcome = OutcomeOf(graph, compiled, std::move(plan));
  TRY(report::WriteReport(graph, compiled.model, outcome, directory));
  if (!options.annotated.empty()) {
    const graph::DeviceConfiguration devices{kConfiguration, compiled.model.parts};
    TRY(graph::AnnotateOnnx(model, options.annotated, devices, compiled.annotations));
  }
  progress("done", 1.0);
  return outcome;
}

}  // namespace tessera::shard
