#include "tessera/cli/calibration_models.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "tessera/plan/dist_collective.h"
#include "tessera/shard/emitter.h"
#include "tessera/shard/write_ranks.h"

namespace tessera::cli {
namespace {

using graph::ValueId;
using shard::State;

constexpr int64_t kFloatBytes = 4;
constexpr const char* kAxis = "tp";

shard::RankModel EmptyModel(int ranks) {
  shard::RankModel model;
  model.parts = ranks;
  model.graph.name = "calibration";
  model.graph.ir_version = 8;
  model.graph.opsets = {{"", 17}, {plan::dist_collective::kDomain, plan::dist_collective::kDomainVersion}};
  return model;
}

ValueId AddInput(shard::RankModel& model, Shape shape) {
  const ValueId input = model.graph.AddValue("x", DType::kFloat32, std::move(shape));
  model.graph.value(input).has_shape = true;
  model.graph.inputs().push_back(input);
  model.inputs.push_back(State::Replicated());
  return input;
}

void AddOutput(shard::RankModel& model, ValueId value, const State& state) {
  model.graph.outputs().push_back(value);
  model.outputs.push_back(state);
}

// Small enough that a row of products stays a number, and no zero that an engine might make use of.
graph::Constant Weights(int64_t size, int seed) {
  std::vector<float> values(static_cast<size_t>(size * size));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] =
        static_cast<float>((i * 7 + static_cast<size_t>(seed)) % 5 + 1) / (8.0F * static_cast<float>(size));
  }
  const auto* bytes = reinterpret_cast<const std::byte*>(values.data());
  return graph::Constant::OfBytes(DType::kFloat32, {size, size},
                                  {bytes, bytes + values.size() * sizeof(float)});
}

// The tensors of a plan have the model's sizes, not a rank's.
plan::TensorPlan TensorPlanOf(const graph::Value& value, const State& state, int ranks) {
  plan::TensorPlan tensor;
  tensor.spec = {value.name, value.type, value.shape};
  tensor.dim_names.resize(value.shape.size());
  if (!state.split()) return tensor;
  tensor.spec.shape[static_cast<size_t>(state.axis)] *= ranks;
  tensor.layout = {plan::Layout::Kind::kSplit, state.axis, Rank{0}};
  return tensor;
}

}  // namespace

shard::RankModel ProductModel(int ranks, int64_t rows, int64_t size, int count) {
  shard::RankModel model = EmptyModel(ranks);
  shard::Emitter emitter(model, kAxis);
  ValueId value = AddInput(model, {rows, size});
  for (int i = 0; i < count; ++i) {
    const ValueId weights = emitter.Constant(fmt::format("w{}", i), Weights(size, i));
    value = emitter.Op("MatMul", fmt::format("product{}", i), {value, weights}, {rows, size});
  }
  AddOutput(model, value, State::Replicated());
  return model;
}

shard::RankModel TinyOpsModel(int ranks, int count) {
  constexpr int64_t kRows = 8;
  constexpr int64_t kSize = 16;
  shard::RankModel model = EmptyModel(ranks);
  shard::Emitter emitter(model, kAxis);
  ValueId value = AddInput(model, {kRows, kSize});
  for (int i = 0; i < count; ++i) {
    const std::string name = fmt::format("op{}", i);
    value = i % 2 == 0 ? emitter.Op("MatMul", name, {value, emitter.Constant(name + "/w", Weights(kSize, i))},
                                    {kRows, kSize})
                       : emitter.Op("Softmax", name, {value}, {kRows, kSize});
  }
  AddOutput(model, value, State::Replicated());
  return model;
}

shard::RankModel ElementwiseModel(int ranks, int64_t bytes, int count) {
  shard::RankModel model = EmptyModel(ranks);
  shard::Emitter emitter(model, kAxis);
  for (int i = 0; i < count; ++i) {
    const Shape shape{bytes / kFloatBytes};
    const ValueId input = AddInput(model, shape);
    AddOutput(model, emitter.Op("Relu", fmt::format("relu{}", i), {input}, shape), State::Replicated());
  }
  return model;
}

shard::RankModel CollectiveModel(int ranks, CollectiveOp op, int64_t bytes, int count) {
  shard::RankModel model = EmptyModel(ranks);
  shard::Emitter emitter(model, kAxis);
  const int64_t large = std::max<int64_t>(1, bytes / kFloatBytes / ranks) * ranks;
  const int64_t sent = op == CollectiveOp::kAllGather ? large / ranks : large;
  const int64_t got = op == CollectiveOp::kReduceScatter ? large / ranks : large;
  const ReduceOp reduce = Reduces(op) ? ReduceOp::kSum : ReduceOp::kNone;
  const bool whole = op == CollectiveOp::kAllReduce || op == CollectiveOp::kAllGather;
  const ValueId input = AddInput(model, {sent});
  for (int i = 0; i < count; ++i) {
    const ValueId value = emitter.Collective(
        op, reduce, input, {got}, static_cast<double>(sent * kFloatBytes), fmt::format("collective{}", i));
    AddOutput(model, value, whole ? State::Replicated() : State::Split(0));
  }
  return model;
}

Result<void> WriteRankModel(const shard::RankModel& model, std::string_view engine,
                            const std::filesystem::path& directory) {
  plan::Plan plan;
  TRY_ASSIGN(plan.ranks, shard::WriteRanks(model, directory, [](int) {}));
  plan.model_name = model.graph.name;
  plan.strategy = "calibration";
  plan.engine = engine;
  plan.mesh = {{kAxis, model.parts}};
  plan.collectives = model.collectives;
  for (size_t i = 0; i < model.inputs.size(); ++i) {
    plan.inputs.push_back(
        TensorPlanOf(model.graph.value(model.graph.inputs()[i]), model.inputs[i], model.parts));
  }
  for (size_t i = 0; i < model.outputs.size(); ++i) {
    plan.outputs.push_back(
        TensorPlanOf(model.graph.value(model.graph.outputs()[i]), model.outputs[i], model.parts));
  }
  return plan::WritePlan(plan, directory);
}

}  // namespace tessera::cli
