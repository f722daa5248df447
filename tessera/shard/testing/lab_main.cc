// The compiler's inside for the Python tests of tests/shard. Reads a JSON request a line, answers a JSON
// line:
//   {"do": "rows", "model": FILE, "parts": N, "out": DIR}    every node by every row: DIR/PREFIX.rank0 ..
//   {"do": "force", .. the same .., "seed": S}               a plan by chance: DIR/model.onnx.rank0 ..
//   {"do": "shard", .. the same .., "strategy": NAME}        as the program does
//   {"do": "mutate", .. as "shard" .., "from": A, "to": B}   each with one thing wrong:
//   DIR/mutantA.onnx.rank0 ..
//   {"do": "price", "model": FILE, "parts": N, "strategy": NAME, "engine": NAME, "memory": BYTES,
//    "weights": {NAME: CUT ..}}
//      what a step costs, nothing written; with "weights" of the plans in which these are held so: CUT is
//      {"axis": A, "segments": [size ..]} (none: one) or null = whole
//   {"do": "ops"}                                            the ops that have a rule
// "error" in the answer: what failed; "check": what the state checker says (of "shard" the shape oracle,
// too),
// "" = right.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "tessera/graph/onnx.h"
#include "tessera/graph/openvino/openvino_shape_oracle.h"
#include "tessera/shard/check.h"
#include "tessera/shard/compile.h"
#include "tessera/shard/draft.h"
#include "tessera/shard/known_elements.h"
#include "tessera/shard/rewrite.h"
#include "tessera/shard/slices.h"
#include "tessera/shard/testing/describe.h"
#include "tessera/shard/testing/forced.h"
#include "tessera/shard/testing/mutate.h"

namespace tessera::shard::testing {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

graph::ShapeOracle& Oracle() {
  static const auto oracle = graph::MakeOpenVinoShapeOracle();
  return *oracle;
}

Result<graph::Graph> Read(const std::string& file) {
  TRY_ASSIGN(graph::Graph graph, graph::ReadOnnx(file));
  TRY(Oracle().Infer(graph));
  SplitWhereSliced(graph);
  RefineShapes(graph);
  return graph;
}

// {"kind": "S", "axis": 1, "indices": [[..] a rank]}: the elements that each rank holds, in order (none where
// the size is dynamic); {"kind": "P", "reduce": "sum"}; {"kind": "R"}.
Json JsonOf(const State& state, const graph::Value& whole, int parts) {
  Json json{{"kind", state.split() ? "S" : state.partial() ? "P" : "R"}};
  if (state.partial()) json["reduce"] = Name(state.reduce);
  if (!state.split()) return json;
  json["axis"] = state.axis;
  json["cut"] = state.cut.ToString();
  const int64_t size = whole.shape[static_cast<size_t>(state.axis)];
  for (int rank = 0; rank < parts && size != kDynamic; ++rank)
    json["indices"].push_back(state.cut.Indices(size, parts, rank));
  return json;
}

Result<void> WriteAll(const RankModel& model, const fs::path& prefix) {
  for (int rank = 0; rank < model.parts; ++rank) {
    const auto source = [&](graph::ValueId id) -> Result<graph::InitializerContent> {
      return graph::InitializerContent(
          std::make_shared<const graph::Constant>(OnRank(model.constants.at(id), rank, model.parts)));
    };
    TRY(graph::WriteOnnx(model.graph, fmt::format("{}.rank{}", prefix.string(), rank), source));
  }
  return {};
}

Json Interface(const graph::Graph& graph, const std::vector<graph::ValueId>& ids,
               const std::vector<State>& states, const graph::Graph& names, int parts) {
  Json list = Json::array();
  for (size_t i = 0; i < ids.size(); ++i)
    list.push_back(
        {{"name", names.value(ids[i]).name}, {"state", JsonOf(states[i], graph.value(ids[i]), parts)}});
  return list;
}

Result<Json> Describe(const graph::Graph& graph, const RankModel& model, const fs::path& directory) {
  Json answer;
  TRY(WriteAll(model, directory / "model.onnx"));
  answer["inputs"] = Interface(graph, graph.inputs(), model.inputs, graph, model.parts);
  answer["outputs"] = Interface(graph, graph.outputs(), model.outputs, graph, model.parts);
  answer["origin"] = Json::array();
  for (const auto& [id, held] : model.origin) {
    const graph::Value& whole = graph.value(held.first);
    answer["origin"].push_back({{"value", model.graph.value(id).name},
                                {"of", whole.name},
                                {"state", JsonOf(held.second, whole, model.parts)}});
  }
  answer["collectives"] = model.collectives.size();
  const auto began = std::chrono::steady_clock::now();
  const auto checked = CheckRankModel(graph, model);
  answer["check_ms"] =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
  answer["check"] = checked ? "" : checked.error().message;
  return answer;
}

Result<Json> RowsOfNode(const graph::Graph& graph, size_t n, int parts, const fs::path& directory) {
  const graph::Node& node = graph.nodes()[n];
  const OpView op(graph, node);
  const Rows rows(op, RuleFor(op), Division{parts, {}, true});
  Json answer{{"op", node.op_type}, {"rule", rows.rule().has_value()}, {"rows", Json::array()}};
  if (!rows.rule()) return answer;
  std::vector<Row> all = AllRows(rows, op);
  for (size_t r = 0; r < all.size(); ++r) {
    const std::string prefix = fmt::format("n{}r{}", n, r);
    TRY_ASSIGN(const RankModel model, NodeByRow(graph, n, rows, all[r], parts));
    TRY(WriteAll(model, directory / prefix));
    Json json{{"prefix", prefix}, {"text", testing::Describe(all[r])}};
    for (size_t i = 0; i < model.inputs.size(); ++i) {
      const std::string& name = model.graph.value(model.graph.inputs()[i]).name;
      json["inputs"].push_back(
          {{"name", name}, {"state", JsonOf(model.inputs[i], graph.value(*graph.FindValue(name)), parts)}});
    }
    for (size_t i = 0; i < model.outputs.size(); ++i) {
      const std::string& name = model.graph.value(model.graph.outputs()[i]).name;
      json["outputs"].push_back(
          {{"name", name}, {"state", JsonOf(model.outputs[i], graph.value(*graph.FindValue(name)), parts)}});
    }
    answer["rows"].push_back(std::move(json));
  }
  return answer;
}

Result<Json> DoRows(const Json& request) {
  TRY_ASSIGN(const graph::Graph graph, Read(request.at("model")));
  Json answer{{"nodes", Json::array()}};
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    TRY_ASSIGN(Json node, RowsOfNode(graph, n, request.at("parts"), request.at("out").get<std::string>()));
    answer["nodes"].push_back(std::move(node));
  }
  return answer;
}

Result<Json> DoForce(const Json& request) {
  const int parts = request.at("parts");
  TRY_ASSIGN(const graph::Graph graph, Read(request.at("model")));
  const CostModel cost(graph, DefaultMachine(Machine::Device::kCpu), Objective{}, parts, {});
  const Candidates candidates = AllCandidates(graph, parts);
  std::mt19937 random(request.at("seed").get<unsigned>());
  const Assignment assignment = RandomAssignment(graph, candidates, cost, random);
  TRY_ASSIGN(const RankModel model, Rewrite(graph, candidates, assignment, cost, parts, "tp"));
  return Describe(graph, model, request.at("out").get<std::string>());
}

Result<Compiled> CompileAs(const Json& request, const graph::Graph& graph) {
  Options options;
  options.ranks = request.at("parts");
  options.strategy = request.value("strategy", "auto");
  if (request.value("embeddings", "split") == "whole") options.embeddings = Embeddings::kWhole;
  return Compile(graph, options);
}

Result<Json> DoShard(const Json& request) {
  TRY_ASSIGN(const graph::Graph graph, Read(request.at("model")));
  TRY_ASSIGN(const Compiled compiled, CompileAs(request, graph));
  TRY_ASSIGN(Json answer, Describe(graph, compiled.model, request.at("out").get<std::string>()));
  if (const auto shaped = CheckLocalShapes(compiled.model, Oracle()); !shaped)
    answer["check"] = shaped.error().message;
  return answer;
}

Result<Json> DoMutate(const Json& request) {
  TRY_ASSIGN(const graph::Graph graph, Read(request.at("model")));
  TRY_ASSIGN(const Compiled compiled, CompileAs(request, graph));
  Json answer{{"mutants", Json::array()}};
  for (unsigned seed = request.at("from"); seed < request.at("to"); ++seed) {
    RankModel mutant = compiled.model;
    std::mt19937 random(seed);
    const std::string what = Mutate(mutant, random);
    if (what.empty()) break;
    const auto checked = CheckRankModel(graph, mutant);
    Json json{{"what", what}, {"check", checked ? "" : checked.error().message}};
    const std::string name = fmt::format("mutant{}.onnx", seed);
    const auto written = WriteAll(mutant, fs::path(request.at("out").get<std::string>()) / name);
    json["written"] = written ? "" : written.error().message;
    json["inputs"] = Interface(graph, graph.inputs(), mutant.inputs, graph, mutant.parts);
    json["outputs"] = Interface(graph, graph.outputs(), mutant.outputs, graph, mutant.parts);
    answer["mutants"].push_back(std::move(json));
  }
  return answer;
}

Result<std::map<graph::ValueId, State>> HeldStates(const graph::Graph& graph, const Json& weights) {
  std::map<graph::ValueId, State> held;
  for (const auto& [name, cut] : weights.items()) {
    const auto id = graph.FindValue(name);
    if (!id) return Fail(Code::kInvalidArgument, "the model has no weight '{}'", name);
    held[*id] = State::Replicated();
    if (cut.is_null()) continue;
    const int axis = cut.at("axis");
    std::vector<Run> runs;
    for (const int64_t size : cut.at("segments")) runs.push_back({size, 1});
    held[*id] = State::Split(axis, runs.empty() ? Cut() : Cut::Of(runs, graph.value(*id).shape.at(axis)));
  }
  return held;
}

Json JsonOf(const Alternative& price) {
  return {{"strategy", price.strategy},
          {"us", price.predicted_us},
          {"collectives_us", price.time.collectives_us},
          {"weight_bytes", price.rank_weight_bytes.value()}};
}

Result<Json> DoPrice(const Json& request) {
  TRY_ASSIGN(const graph::Graph graph, Read(request.at("model")));
  Options options;
  options.ranks = request.at("parts");
  options.strategy = request.at("strategy");
  options.engine = request.value("engine", options.engine);
  options.memory_per_rank = ByteCount{request.value("memory", uint64_t{0})};
  if (!request.contains("weights")) {
    TRY_ASSIGN(const Compiled compiled, Compile(graph, options));
    return JsonOf(compiled.taken);
  }
  const auto named = std::ranges::find(AllStrategies(), options.strategy, &Strategy::name);
  if (named == AllStrategies().end())
    return Fail(Code::kInvalidArgument, "no strategy '{}' to hold weights by", options.strategy);
  Strategy strategy = *named;
  strategy.space.parts = options.ranks;
  Candidates candidates = Propagate(graph, strategy.space);
  TRY_ASSIGN(const auto held, HeldStates(graph, request.at("weights")));
  TRY(Pin(graph, held, candidates));
  TRY_ASSIGN(const Draft draft, DraftOver(graph, options, strategy, options.ranks, std::move(candidates)));
  return JsonOf(draft.price);
}

Result<Json> Do(const Json& request) {
  const std::string what = request.at("do");
  if (what == "rows") return DoRows(request);
  if (what == "force") return DoForce(request);
  if (what == "shard") return DoShard(request);
  if (what == "mutate") return DoMutate(request);
  if (what == "price") return DoPrice(request);
  if (what == "ops") return Json{{"ops", OpsWithRules()}};
  return Fail(Code::kInvalidArgument, "'{}' is no request", what);
}

}  // namespace
}  // namespace tessera::shard::testing

int main() {
  using namespace tessera::shard::testing;
  for (std::string line; std::getline(std::cin, line);) {
    const auto answer = Do(Json::parse(line));
    const Json text = answer ? *answer : Json{{"error", answer.error().message}};
    std::cout << text.dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
  }
}
