#include "tessera/shard/hints.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "tessera/shard/annotated_state.h"

namespace tessera::shard {
namespace {

using graph::Graph;
using graph::Node;
using graph::ShardedTensor;
using graph::ValueId;

class HintReader {
 public:
  HintReader(const Graph& graph, int ranks, std::string configuration)
      : graph_(graph), ranks_(ranks), configuration_(std::move(configuration)) {}

  Result<std::vector<Hint>> Run(const std::vector<graph::DeviceConfiguration>& known) {
    for (const Node& node : graph_.nodes()) {
      TRY_ASSIGN(const auto shardings, graph::ShardingsOf(node));
      for (const auto& sharding : shardings) {
        const auto same = [&](const auto& c) { return c.name == sharding.configuration; };
        if (std::none_of(known.begin(), known.end(), same))
          return Fail(Code::kInvalidArgument,
                      "node '{}' is annotated for a configuration '{}' that the model does not have",
                      node.name, sharding.configuration);
        if (sharding.configuration == configuration_) TRY(Read(node, sharding));
      }
    }
    return std::move(hints_);
  }

 private:
  Result<void> Read(const Node& node, const graph::NodeSharding& sharding) {
    Hint hint;
    hint.node = fmt::format("node '{}' ({})", node.name, node.op_type);
    if (sharding.pipelined)
      return Fail(Code::kUnsupported, "{} is given a pipeline stage: there are none", hint.node);
    const auto made = std::find_if(node.outputs.begin(), node.outputs.end(),
                                   [](ValueId id) { return id != graph::kNoValue; });
    if (made == node.outputs.end()) return {};
    hint.output = graph_.value(*made).name;
    for (const ShardedTensor& tensor : sharding.tensors) {
      const auto id = graph_.FindValue(tensor.tensor);
      const bool read = id && Has(node.inputs, *id);
      hint.made = id && Has(node.outputs, *id);
      if (!read && !hint.made)
        return Fail(Code::kInvalidArgument,
                    "{}: its annotation is about '{}', which it neither reads nor makes", hint.node,
                    tensor.tensor);
      hint.tensor = tensor.tensor;
      TRY_ASSIGN(hint.state, StateFor(hint, tensor, graph_.value(*id)));
      hints_.push_back(hint);
    }
    return {};
  }

  Result<State> StateFor(const Hint& hint, const ShardedTensor& tensor, const graph::Value& value) const {
    auto state = AnnotatedState(tensor, value, ranks_);
    if (!state)
      state.error().message = fmt::format("{}: '{}': {}", hint.node, hint.tensor, state.error().message);
    return state;
  }

  static bool Has(const std::vector<ValueId>& ids, ValueId id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  }

  const Graph& graph_;
  int ranks_;
  std::string configuration_;
  std::vector<Hint> hints_;
};

Result<std::string> ConfigurationFor(const std::vector<graph::DeviceConfiguration>& all, int ranks) {
  std::vector<std::string> listed;
  std::vector<std::string> fitting;
  for (const auto& configuration : all) {
    listed.push_back(fmt::format("'{}' for {}", configuration.name, configuration.devices));
    if (configuration.devices == ranks) fitting.push_back(configuration.name);
  }
  if (fitting.size() == 1) return fitting[0];
  return Fail(Code::kInvalidArgument,
              "the model is annotated for numbers of devices: {}; wanted one for --ranks {} "
              "(--ignore-annotations plans "
              "without them)",
              fmt::format("{}", fmt::join(listed, ", ")), ranks);
}

// The node of a hint, and where its tensor stands there.
struct Found {
  size_t node = 0;
  std::vector<size_t> places;
};

std::optional<Found> Find(const Graph& graph, const Hint& hint) {
  const auto output = graph.FindValue(hint.output);
  const auto tensor = graph.FindValue(hint.tensor);
  if (!output || !tensor || graph.value(*output).producer == graph::kNoNode) return std::nullopt;
  Found found{static_cast<size_t>(graph.value(*output).producer.value()), {}};
  const Node& node = graph.nodes()[found.node];
  const auto& ids = hint.made ? node.outputs : node.inputs;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] == *tensor) found.places.push_back(i);
  }
  return found;
}

bool Agrees(const Row& row, const Hint& hint, const std::vector<size_t>& places) {
  return std::all_of(places.begin(), places.end(), [&](size_t i) {
    if (hint.made) return row.outputs[i] == hint.state || row.outputs[i].partial();
    return !row.inputs[i] || *row.inputs[i] == hint.state;
  });
}

}  // namespace

Result<std::vector<Hint>> HintsOf(const Graph& graph, int ranks) {
  TRY_ASSIGN(const auto configurations, graph::DeviceConfigurations(graph));
  if (configurations.empty()) return HintReader(graph, ranks, "").Run(configurations);
  if (const std::string hidden = graph::HiddenAnnotation(graph); !hidden.empty())
    return Fail(Code::kUnsupported, "{} has multi-device annotations inside: only the model's own nodes may",
                hidden);
  TRY_ASSIGN(std::string configuration, ConfigurationFor(configurations, ranks));
  return HintReader(graph, ranks, std::move(configuration)).Run(configurations);
}

std::vector<Start> StartsOf(const Graph& graph, const std::vector<Hint>& hints) {
  std::vector<Start> starts;
  for (const Hint& hint : hints) {
    const auto found = Find(graph, hint);
    if (!found || !hint.state.split()) continue;
    for (const size_t i : found->places)
      starts.push_back({found->node, {hint.made, static_cast<int>(i)}, hint.state});
  }
  return starts;
}

Result<void> Constrain(const Graph& graph, const std::vector<Hint>& hints, size_t count,
                       Candidates& candidates) {
  for (size_t h = 0; h < count; ++h) {
    const Hint& hint = hints[h];
    const auto found = Find(graph, hint);
    const auto impossible = [&](const std::string& why) {
      return Fail(Code::kUnsupported, "{}: its annotation wants '{}' as {}: {}", hint.node, hint.tensor,
                  hint.state.ToString(), why);
    };
    if (!found || found->places.empty()) {
      if (hint.state.replicated()) continue;  // bounds of a Slice that became part of a Split
      return impossible("the node was merged with others that are cut otherwise");
    }
    auto& rows = candidates.rows[found->node];
    std::erase_if(rows, [&](const Row& row) { return !Agrees(row, hint, found->places); });
    if (rows.empty()) return impossible("the op and the other annotations leave no way to run it so");
    if (!hint.made) continue;
    const auto [place, fresh] = candidates.delivered.try_emplace(*graph.FindValue(hint.tensor), hint.state);
    if (!fresh && place->second != hint.state)
      return impossible("another annotation wants " + place->second.ToString());
  }
  return {};
}

std::map<std::string, std::vector<ShardedTensor>> AnnotationsOf(const Graph& graph,
                                                                const Candidates& candidates,
                                                                const Assignment& assignment, int parts) {
  std::map<std::string, std::vector<ShardedTensor>> by_output;
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& node = graph.nodes()[n];
    const Row& row = candidates.rows[n][static_cast<size_t>(assignment.row[n])];
    std::vector<ShardedTensor> tensors;
    const auto add = [&](ValueId id, const State& state) {
      const auto same = [&](const ShardedTensor& t) { return t.tensor == graph.value(id).name; };
      auto told = AnnotationOf(graph.value(id), state, parts);
      if (told && std::none_of(tensors.begin(), tensors.end(), same)) tensors.push_back(*std::move(told));
    };
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] != graph::kNoValue && row.inputs[i]) add(node.inputs[i], *row.inputs[i]);
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == graph::kNoValue) continue;
      const Placement& placement = assignment.placement[static_cast<size_t>(node.outputs[i].value())];
      const bool reduced = row.outputs[i].partial() && placement.made;
      add(node.outputs[i], reduced ? *placement.made : row.outputs[i]);
    }
    for (const ValueId id : node.outputs) {
      if (id != graph::kNoValue) by_output[graph.value(id).name] = tensors;
    }
  }
  return by_output;
}

}  // namespace tessera::shard
