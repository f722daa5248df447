#include "tests/gpu/graphs.h"

#include <cstring>

#include "tessera/base/file.h"
#include "tessera/graph/onnx.h"

namespace tessera::gputest {

graph::Graph NewGraph(const char* name) {
  graph::Graph graph;
  graph.name = name;
  graph.ir_version = 10;
  graph.opsets[""] = 20;
  graph.opsets["tessera"] = 1;
  return graph;
}

graph::ValueId AddInput(graph::Graph& graph, const char* name, DType type, const Shape& shape) {
  const graph::ValueId input = graph.AddValue(name, type, shape);
  graph.value(input).has_shape = true;
  graph.inputs().push_back(input);
  return input;
}

graph::Constant HalfConstant(const std::vector<uint16_t>& halves, Shape shape) {
  std::vector<std::byte> bytes(halves.size() * 2);
  std::memcpy(bytes.data(), halves.data(), bytes.size());
  return graph::Constant::OfBytes(DType::kFloat16, std::move(shape), std::move(bytes));
}

graph::ValueId Append(graph::Graph& graph, const char* op, std::vector<graph::ValueId> inputs,
                      const char* name, DType type, const Shape& shape) {
  graph::Node node;
  node.name = name;
  node.op_type = op;
  node.inputs = std::move(inputs);
  const graph::ValueId out = graph.AddValue(name, type, shape);
  graph.value(out).has_shape = true;
  node.outputs = {out};
  graph.AddNode(std::move(node));
  return out;
}

graph::ValueId AppendCollective(graph::Graph& graph, graph::ValueId in, const char* name, const Shape& shape,
                                int ranks, const char* op, const char* reduce) {
  const graph::ValueId out = Append(graph, "DistCollective", {in}, name, DType::kFloat16, shape);
  graph::Node& node = graph.node(graph.value(out).producer);
  node.domain = "tessera";
  node.Set("collective_operation", std::string(op));
  node.Set("reduce_op", std::string(reduce));
  node.Set("root", int64_t{-1});
  node.Set("nb_rank", int64_t{ranks});
  node.Set("groups", std::vector<int64_t>{});
  node.Set("group_size", int64_t{0});
  return out;
}

Result<void> WriteEngine(const graph::Graph& graph, int rank, standin::PlanFile profiles,
                         const std::filesystem::path& onnx, const std::filesystem::path& engine) {
  TRY(graph::WriteOnnx(graph, onnx));
  profiles.onnx = onnx;
  profiles.rank = rank;
  return WriteFileAtomically(engine, standin::PrintPlan(profiles));
}

Result<plan::RankPlan> WriteRank(const graph::Graph& graph, int rank, const standin::PlanFile& profiles,
                                 const std::filesystem::path& directory) {
  plan::RankPlan rank_plan;
  rank_plan.model.file = fmt::format("model.plan.rank{}", rank);
  TRY(WriteEngine(graph, rank, profiles, directory / fmt::format("model.onnx.rank{}", rank),
                  directory / rank_plan.model.file));
  return rank_plan;
}

}  // namespace tessera::gputest
