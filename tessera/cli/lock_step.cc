#include "tessera/cli/lock_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "tessera/base/mutex.h"
#include "tessera/cli/unbuilt.h"
#include "tessera/graph/onnx.h"
#include "tessera/graph/openvino/openvino_shape_oracle.h"
#include "tessera/shard/trace.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;
using shard::State;
using shard::TracedValue;
using Values = std::map<std::string, HostTensor>;  // by name

// Holds what every rank puts out.
class KeepAll final : public engine::OutputSink {
 public:
  explicit KeepAll(size_t ranks) : ranks_(ranks) {}

  Result<Region> Place(Rank rank, int index, DType type, const Shape& shape) override {
    MutexLock lock(mutex_);
    HostTensor& tensor = ranks_.at(static_cast<size_t>(rank.value()))[index];
    tensor.spec = {"", type, shape};
    tensor.bytes.resize(BytesOf(type, shape).value());
    return HostRegion(MutableBytes(tensor.bytes));
  }

  // The outputs of a rank by these names, in the order of the outputs.
  Values Take(size_t rank, const std::vector<std::string>& names) {
    MutexLock lock(mutex_);
    Values values;
    for (auto& [index, tensor] : ranks_.at(rank)) {
      tensor.spec.name = names.at(static_cast<size_t>(index));
      values[tensor.spec.name] = std::move(tensor);
    }
    return values;
  }

 private:
  Mutex mutex_;
  std::vector<std::map<int, HostTensor>> ranks_ GUARDED_BY(mutex_);
};

// A model with more outputs, written to a file; the names of all of them in order.
Result<std::vector<std::string>> Expose(graph::Graph graph, const std::set<std::string>& wanted,
                                        const fs::path& file) {
  const auto& outputs = graph.outputs();
  for (size_t v = 0; v < graph.values().size(); ++v) {
    const graph::ValueId id{static_cast<int32_t>(v)};
    const graph::Value& value = graph.value(id);
    const bool made = value.producer != graph::kNoNode && wanted.contains(value.name) && AccessOf(value.type);
    if (made && std::find(outputs.begin(), outputs.end(), id) == outputs.end()) graph.outputs().push_back(id);
  }
  std::vector<std::string> names;
  for (const graph::ValueId id : graph.outputs()) names.push_back(graph.value(id).name);
  TRY(graph::WriteOnnx(graph, file));
  return names;
}

// The piece of an input that `rank` gets.
HostTensor PieceOf(const HostTensor& whole, const plan::Layout& layout, int rank, int ranks) {
  if (layout.kind != plan::Layout::Kind::kSplit) return whole;
  const Shape& shape = whole.spec.shape;
  const auto axis = static_cast<size_t>(layout.axis);
  HostTensor piece = whole;
  piece.spec.shape[axis] /= ranks;
  const auto rows = static_cast<size_t>(ElementCount({shape.begin(), shape.begin() + layout.axis}));
  const size_t pitch = whole.bytes.size() / std::max<size_t>(rows, 1);
  const size_t own = pitch / static_cast<size_t>(ranks);
  piece.bytes.resize(rows * own);
  for (size_t row = 0; row < rows; ++row) {
    const auto from =
        whole.bytes.begin() + static_cast<std::ptrdiff_t>(row * pitch + static_cast<size_t>(rank) * own);
    std::copy_n(from, own, piece.bytes.begin() + static_cast<std::ptrdiff_t>(row * own));
  }
  return piece;
}

// Runs one step and gives every rank's values.
Result<std::vector<Values>> RunAll(const plan::Plan& plan, const fs::path& directory,
                                   const std::vector<std::string>& names, const Inputs& inputs,
                                   engine::Engine& engine) {
  TRY_ASSIGN(const auto group, engine.Load(plan, directory, Deadline::Never()));
  if (group->outputs().size() != names.size()) {
    return Fail(Code::kInternal, "the engine gives {} outputs, the model has {}", group->outputs().size(),
                names.size());
  }
  const auto ranks = static_cast<size_t>(plan.world_size());
  std::vector<Inputs> pieces(ranks);
  engine::Step step;
  step.ranks.resize(ranks);
  for (size_t rank = 0; rank < ranks; ++rank) {
    for (const TensorSpec& spec : group->inputs()) {
      const auto planned = std::find_if(plan.inputs.begin(), plan.inputs.end(),
                                        [&](const auto& tensor) { return tensor.spec.name == spec.name; });
      const auto given = std::find_if(inputs.begin(), inputs.end(), [&](const HostTensor& tensor) {
        return tensor.spec.name == spec.name;
      });
      if (planned == plan.inputs.end() || given == inputs.end())
        return Fail(Code::kInvalidArgument, "no value for input '{}'", spec.name);
      pieces[rank].push_back(
          PieceOf(*given, planned->layout, static_cast<int>(rank), static_cast<int>(ranks)));
    }
    for (const HostTensor& piece : pieces[rank]) step.ranks[rank].tensors.push_back(piece.View());
  }
  KeepAll sink(ranks);
  step.sink = &sink;
  TRY(group->Run(step));
  std::vector<Values> values;
  for (size_t rank = 0; rank < ranks; ++rank) values.push_back(sink.Take(rank, names));
  return values;
}

// Elements of the cut dimension that a rank holds go to their places in the whole.
Result<HostTensor> Whole(const std::vector<const HostTensor*>& parts, const State& state) {
  HostTensor whole = *parts[0];
  const auto axis = static_cast<size_t>(state.axis);
  const auto count = static_cast<int64_t>(parts.size());
  if (axis >= whole.spec.shape.size())
    return Fail(Code::kInternal, "'{}' has no axis {}", whole.spec.name, state.axis);
  const int64_t local = whole.spec.shape[axis];
  whole.spec.shape[axis] = local * shard::Pieces(state, static_cast<int>(count));
  TRY_ASSIGN(whole, MakeTensor(whole.spec));
  const Shape& shape = whole.spec.shape;
  const auto outer = static_cast<size_t>(ElementCount({shape.begin(), shape.begin() + state.axis}));
  const size_t row = whole.bytes.size() / std::max<size_t>(outer * static_cast<size_t>(shape[axis]), 1);
  for (size_t rank = 0; rank < parts.size(); ++rank) {
    const auto held = state.cut.Indices(shape[axis], static_cast<int>(count), static_cast<int>(rank));
    if (parts[rank]->bytes.size() != outer * held.size() * row)
      return Fail(Code::kInvalidArgument, "rank {}: '{}' is {}", rank, parts[rank]->spec.name,
                  ToString(parts[rank]->spec.shape));
    size_t from = 0;
    for (size_t o = 0; o < outer; ++o) {
      for (const int64_t h : held) {
        const size_t to = (o * static_cast<size_t>(shape[axis]) + static_cast<size_t>(h)) * row;
        std::copy_n(parts[rank]->bytes.begin() + static_cast<std::ptrdiff_t>(from), row,
                    whole.bytes.begin() + static_cast<std::ptrdiff_t>(to));
        from += row;
      }
    }
  }
  return whole;
}

// The terms of all ranks combined; `scale` becomes the largest of them, to which roundings are relative.
Result<HostTensor> Combined(const std::vector<const HostTensor*>& parts, ReduceOp reduce, double& scale) {
  TRY_ASSIGN(const ElementAccess access, AccessOf(parts[0]->spec.type));
  HostTensor whole = *parts[0];
  for (const HostTensor* part : parts) {
    if (part->spec.shape != whole.spec.shape)
      return Fail(Code::kInvalidArgument, "'{}' has another shape on every rank", whole.spec.name);
  }
  for (size_t at = 0; at < whole.bytes.size(); at += access.bytes) {
    double value = access.read(parts[0]->bytes.data() + at);
    scale = std::max(scale, std::abs(value));
    for (size_t rank = 1; rank < parts.size(); ++rank) {
      const double term = access.read(parts[rank]->bytes.data() + at);
      scale = std::max(scale, std::abs(term));
      if (reduce == ReduceOp::kMax)
        value = std::max(value, term);
      else if (reduce == ReduceOp::kMin)
        value = std::min(value, term);
      else
        value += term;
    }
    access.write(whole.bytes.data() + at,
                 reduce == ReduceOp::kAvg ? value / static_cast<double>(parts.size()) : value);
  }
  return whole;
}

// How far the ranks' value is from the model's.
Result<Difference> DifferenceOf(const std::vector<const HostTensor*>& parts, const State& state,
                                const HostTensor& wanted) {
  if (state.replicated()) {
    Difference worst;
    for (const HostTensor* part : parts) {
      TRY_ASSIGN(const Difference difference, Compare(*part, wanted));
      if (!(difference.max_rel <= worst.max_rel)) worst = difference;
    }
    return worst;
  }
  double scale = 0;
  auto whole = state.split() ? Whole(parts, state) : Combined(parts, state.reduce, scale);
  if (!whole) return Forward(std::move(whole));
  TRY_ASSIGN(Difference difference, Compare(*whole, wanted));
  // Large terms that cancel out round to more than their small sum.
  if (scale > 0) difference.max_rel = std::min(difference.max_rel, difference.max_abs / scale);
  return difference;
}

std::string NodeThatMakes(const graph::Graph& graph, const std::string& value) {
  const auto id = graph.FindValue(value);
  if (!id || graph.value(*id).producer == graph::kNoNode) return "?";
  const graph::Node& node = graph.node(graph.value(*id).producer);
  return fmt::format("{} '{}'", node.op_type, node.name);
}

struct Run {
  graph::Graph graph;  // of the ranks
  std::vector<Values> ranks;
  Values whole;
};

Result<Run> RunBoth(const plan::Plan& plan, const std::vector<TracedValue>& trace, const fs::path& version,
                    const fs::path& original, const Inputs& inputs, engine::Engine& engine,
                    const fs::path& scratch) {
  std::set<std::string> of_ranks;
  std::set<std::string> of_model;
  for (const TracedValue& value : trace) {
    of_ranks.insert(value.value);
    of_model.insert(value.of);
  }
  Run run;
  std::vector<std::string> names;
  for (const plan::RankPlan& rank : plan.ranks) {
    TRY_ASSIGN(run.graph, graph::ReadOnnx(version / rank.model.file));
    TRY_ASSIGN(names, Expose(run.graph, of_ranks, scratch / rank.model.file));
  }
  TRY_ASSIGN(run.ranks, RunAll(plan, scratch, names, inputs, engine));
  TRY_ASSIGN(graph::Graph model, graph::ReadOnnx(original));
  TRY(graph::MakeOpenVinoShapeOracle()->Infer(model));
  const std::string file = "whole.onnx";
  TRY_ASSIGN(names, Expose(std::move(model), of_model, scratch / file));
  plan::Plan alone = plan;
  alone.mesh = {{"tp", 1}};
  alone.collectives.clear();
  alone.ranks.assign(1, plan::RankPlan{{file, ByteCount{0}, ""}, {}, ByteCount{0}});
  for (plan::TensorPlan& input : alone.inputs) input.layout = {};
  TRY_ASSIGN(auto values, RunAll(alone, scratch, names, inputs, engine));
  run.whole = std::move(values[0]);
  return run;
}

}  // namespace

Result<LockStepReport> CompareLockStep(const fs::path& version, const fs::path& original,
                                       const Inputs& inputs, double tolerance, engine::Engine& engine,
                                       const fs::path& scratch) {
  TRY_ASSIGN(plan::Plan plan, plan::ReadPlan(version));
  TRY_ASSIGN(plan, Unbuilt(std::move(plan), version));
  TRY_ASSIGN(const auto trace, shard::ReadTrace(version));
  TRY_ASSIGN(const Run run, RunBoth(plan, trace, version, original, inputs, engine, scratch));
  LockStepReport report;
  for (const TracedValue& value : trace) {
    const auto wanted = run.whole.find(value.of);
    std::vector<const HostTensor*> parts;
    for (const Values& rank : run.ranks) {
      if (const auto found = rank.find(value.value); found != rank.end()) parts.push_back(&found->second);
    }
    if (wanted == run.whole.end() || parts.size() != run.ranks.size()) continue;  // of a type without numbers
    ++report.compared;
    TRY_ASSIGN(const Difference difference, DifferenceOf(parts, value.state, wanted->second));
    if (WithinTolerance(difference, wanted->second.spec.type, tolerance)) continue;
    report.first = {NodeThatMakes(run.graph, value.value), value.value, value.state.ToString(), value.of,
                    difference};
    break;
  }
  return report;
}

}  // namespace tessera::cli
