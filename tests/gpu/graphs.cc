#include "tests/gpu/graphs.h"

#include <cstring>
#include <map>
#include <memory>
#include <span>

#include "tessera/graph/onnx.h"
#include "tessera/graph/output_file.h"

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

namespace {

// Where a plan's text ends at the latest: weights follow.
constexpr uint64_t kTextBytes = uint64_t{64} << 10;
constexpr uint64_t kPage = 4096;
constexpr uint64_t kLarge = kPage;  // smaller weights stay in the ONNX file

std::map<graph::ValueId, standin::PlanFile::Weight> PlaceWeights(const graph::Graph& graph) {
  std::map<graph::ValueId, standin::PlanFile::Weight> places;
  std::map<const std::byte*, uint64_t> offsets;  // the same memory stands there once
  uint64_t at = kTextBytes;
  for (size_t i = 0; i < graph.values().size(); ++i) {
    const auto& constant = graph.values()[i].constant;
    if (!constant || constant->bytes.size() < kLarge) continue;
    const auto [offset, added] = offsets.emplace(constant->bytes.data(), at);
    places[graph::ValueId(static_cast<int32_t>(i))] = {offset->second, constant->bytes.size()};
    if (added) at += (constant->bytes.size() + kPage - 1) / kPage * kPage;
  }
  return places;
}

// The text, and the weights at their places.
Result<void> WritePlanFile(const graph::Graph& graph, const std::string& text,
                           const std::map<graph::ValueId, standin::PlanFile::Weight>& places,
                           const std::filesystem::path& file) {
  if (text.size() >= kTextBytes)
    return Fail(Code::kInvalidArgument, "a plan's text of {} bytes", text.size());
  TRY_ASSIGN(graph::OutputFile output, graph::OutputFile::Create(file));
  TRY(output.Write(std::as_bytes(std::span(text))));
  uint64_t at = text.size();
  for (const auto& [id, place] : places) {
    if (place.offset < at) continue;  // stands there already
    const std::vector<std::byte> zeros(place.offset - at);
    TRY(output.Write(zeros));
    TRY(output.Write(graph.value(id).constant->bytes));
    at = place.offset + place.bytes;
  }
  return output.Commit();
}

// A second name for the same bytes, which stays where tests give the plan another one.
Result<void> LinkTo(const std::filesystem::path& file, const std::filesystem::path& link) {
  std::error_code failed;
  std::filesystem::remove(link, failed);
  if (!failed) std::filesystem::create_hard_link(file, link, failed);
  if (failed) return Fail(Code::kUnavailable, "cannot link '{}': {}", link.string(), failed.message());
  return {};
}

}  // namespace

Result<void> WriteEngine(const graph::Graph& graph, int rank, standin::PlanFile profiles,
                         const std::filesystem::path& onnx, const std::filesystem::path& engine) {
  const auto places = PlaceWeights(graph);
  for (const auto& [id, place] : places) profiles.weights[graph.value(id).name] = place;
  profiles.onnx = onnx;
  profiles.rank = rank;
  TRY(WritePlanFile(graph, standin::PrintPlan(profiles), places, engine));
  const std::filesystem::path weights = onnx.string() + ".weights";
  TRY(LinkTo(engine, weights));
  return graph::WriteOnnx(graph, onnx, [&](graph::ValueId id) -> Result<graph::InitializerContent> {
    const auto place = places.find(id);
    if (place == places.end()) return graph.value(id).constant;
    return graph::ExternalData{weights.filename().string(), place->second.offset, place->second.bytes};
  });
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
