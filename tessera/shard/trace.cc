#include "tessera/shard/trace.h"

#include <fstream>
#include <nlohmann/json.hpp>

namespace tessera::shard {
namespace {

using TraceJson = nlohmann::json;

// ["R"], ["S", axis, [[size, count], ..], copies] or ["P", "sum"]
TraceJson ToJson(const State& state) {
  if (state.partial()) return {"P", Name(state.reduce)};
  if (!state.split()) return TraceJson::array({"R"});
  TraceJson runs = TraceJson::array();
  for (const Run& run : state.cut.runs()) runs.push_back({run.size, run.count});
  return {"S", state.axis, runs, state.cut.copies()};
}

// Throws nlohmann's exceptions on anything else.
State StateOf(const TraceJson& json) {
  const auto kind = json.at(0).get<std::string>();
  if (kind == "R") return State::Replicated();
  if (kind == "P") {
    const auto reduce = ReduceOpFromName(json.at(1).get<std::string>());
    if (!reduce) throw TraceJson::other_error::create(501, "no such reduction", &json);
    return State::Partial(*reduce);
  }
  std::vector<Run> runs;
  for (const TraceJson& run : json.at(2)) runs.push_back({run.at(0), run.at(1)});
  const Cut cut = runs.empty() ? Cut() : Cut::Of(runs, -2);  // -2: no size is that of one segment
  return State::Split(json.at(1), cut.WithCopies(json.at(3)));
}

}  // namespace

std::vector<TracedValue> TraceOf(const graph::Graph& model, const RankModel& ranks) {
  std::vector<TracedValue> trace;
  for (const graph::Node& node : ranks.graph.nodes()) {
    for (const graph::ValueId id : node.outputs) {
      const auto origin = ranks.origin.find(id);
      if (origin == ranks.origin.end()) continue;
      trace.push_back(
          {ranks.graph.value(id).name, model.value(origin->second.first).name, origin->second.second});
    }
  }
  return trace;
}

Result<void> WriteTrace(const std::vector<TracedValue>& trace, const std::filesystem::path& directory) {
  TraceJson json = TraceJson::array();
  for (const TracedValue& value : trace) json.push_back({value.value, value.of, ToJson(value.state)});
  const auto file = directory / kTraceFile;
  std::ofstream out(file);
  out << json.dump(-1, ' ', false, TraceJson::error_handler_t::replace) << '\n';
  out.close();
  if (!out) return Fail(Code::kUnavailable, "cannot write '{}'", file.string());
  return {};
}

Result<std::vector<TracedValue>> ReadTrace(const std::filesystem::path& directory) {
  const auto file = directory / kTraceFile;
  if (!std::filesystem::exists(file)) {
    return Fail(Code::kNotFound, "no '{}': shard the model again with --trace", file.string());
  }
  std::vector<TracedValue> trace;
  try {
    std::ifstream in(file);
    for (const TraceJson& json : TraceJson::parse(in))
      trace.push_back({json.at(0), json.at(1), StateOf(json.at(2))});
  } catch (const TraceJson::exception& error) {
    return Fail(Code::kInvalidArgument, "'{}' is no trace: {}", file.string(), error.what());
  }
  return trace;
}

}  // namespace tessera::shard
