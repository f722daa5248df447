#include "tessera/shard/hints.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <set>

namespace tessera::shard {
namespace {

using graph::Graph;
using graph::Node;
using graph::ShardedAxis;
using graph::ShardedTensor;
using graph::ValueId;

std::vector<int64_t> AllDevices(int ranks) {
  std::vector<int64_t> devices(static_cast<size_t>(ranks));
  std::iota(devices.begin(), devices.end(), 0);
  return devices;
}

int64_t Shards(const ShardedAxis& axis) {
  int64_t shards = 1;
  for (const auto& factor : axis.factors) shards *= factor.shards;
  return shards;
}

// The devices in the order of the pieces that they hold; groups one after the other.
std::vector<int64_t> Holders(const ShardedTensor& tensor) {
  std::vector<int64_t> holders;
  for (const int64_t device : tensor.devices) {
    const auto group = tensor.groups.find(device);
    if (group == tensor.groups.end())
      holders.push_back(device);
    else
      holders.insert(holders.end(), group->second.begin(), group->second.end());
  }
  return holders;
}

// Whether as many devices hold each piece.
bool EqualGroups(const ShardedTensor& tensor) {
  std::set<size_t> sizes;
  for (const int64_t device : tensor.devices) {
    const auto group = tensor.groups.find(device);
    sizes.insert(group == tensor.groups.end() ? 1 : group->second.size());
  }
  return sizes.size() == 1;
}

// A dimension of `size`, one of whose factors is cut.
Result<Cut> CutOf(const ShardedAxis& axis, int64_t size, int64_t pieces) {
  if (axis.factors.size() == 1) {
    const int64_t told = axis.factors[0].size;
    if (told != kDynamic && size != kDynamic && told != size)
      return Fail(Code::kInvalidArgument, "its dimension {} has {} elements, the annotation says {}",
                  axis.axis, size, told);
    return Cut();
  }
  int64_t outer = 1;  // segments, each cut by itself
  int64_t segment = 1;
  bool cut = false;
  for (const auto& factor : axis.factors) {
    if (factor.size < 1) return Fail(Code::kUnsupported, "one of several factors of a dimension has no size");
    if (factor.shards != 1 && factor.shards != pieces)
      return Fail(Code::kUnsupported, "two factors of a dimension are cut");
    cut = cut || factor.shards == pieces;
    (cut ? segment : outer) *= factor.size;
  }
  if (outer * segment != size)
    return Fail(Code::kInvalidArgument, "its dimension {} has {} elements, the annotation's factors make {}",
                axis.axis, size, outer * segment);
  return Cut::Of({{segment, outer}}, size);
}

Result<State> StateOf(const ShardedTensor& tensor, const graph::Value& value, int ranks) {
  if (const auto holders = Holders(tensor); holders != AllDevices(ranks)) {
    return Fail(Code::kUnsupported, "it is on the devices [{}] in this order, wanted all of 0 to {}",
                fmt::format("{}", fmt::join(holders, ",")), ranks - 1);
  }
  std::vector<const ShardedAxis*> cut;
  for (const ShardedAxis& axis : tensor.axes) {
    if (Shards(axis) < 1)
      return Fail(Code::kInvalidArgument, "a dimension is cut into {} pieces", Shards(axis));
    if (Shards(axis) > 1) cut.push_back(&axis);
  }
  if (cut.empty()) return State::Replicated();
  if (cut.size() > 1) return Fail(Code::kUnsupported, "it is cut along {} axes, wanted one", cut.size());
  const auto pieces = static_cast<int64_t>(tensor.devices.size());
  if (Shards(*cut[0]) != pieces || !EqualGroups(tensor))
    return Fail(Code::kUnsupported,
                "it is cut into {} pieces, wanted one for each of {} devices or equal groups of them",
                Shards(*cut[0]), ranks);
  const auto rank = static_cast<int64_t>(value.shape.size());
  const int64_t axis = cut[0]->axis < 0 ? cut[0]->axis + rank : cut[0]->axis;
  if (!value.has_shape || axis < 0 || axis >= rank)
    return Fail(Code::kInvalidArgument, "it is cut along axis {}, it has {} dimensions", cut[0]->axis, rank);
  TRY_ASSIGN(Cut how, CutOf(*cut[0], value.shape[static_cast<size_t>(axis)], pieces));
  return State::Split(static_cast<int>(axis), how.WithCopies(static_cast<int>(ranks / pieces)));
}

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
      auto state = StateOf(tensor, graph_.value(*id), ranks_);
      if (!state) {
        state.error().message = fmt::format("{}: '{}': {}", hint.node, tensor.tensor, state.error().message);
        return Forward(std::move(state));
      }
      hint.state = *std::move(state);
      hints_.push_back(hint);
    }
    return {};
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

// Pieces that neighbours share: a group of devices each, numbered from the number of devices on.
void Share(const Cut& cut, int parts, ShardedTensor& tensor) {
  tensor.devices.clear();
  for (int piece = 0; piece < cut.Pieces(parts); ++piece) {
    const int64_t group = parts + piece;
    tensor.devices.push_back(group);
    for (int i = 0; i < cut.copies(); ++i) tensor.groups[group].push_back(piece * cut.copies() + i);
  }
}

std::optional<ShardedTensor> Told(const graph::Value& value, const State& state, int parts) {
  ShardedTensor tensor{value.name, AllDevices(parts), {}, {}};
  if (state.replicated()) return tensor;
  if (state.partial() || state.cut.runs().size() > 1) return std::nullopt;
  const int64_t size = value.shape[static_cast<size_t>(state.axis)];
  const int64_t pieces = state.cut.Pieces(parts);
  ShardedAxis axis{state.axis, {}};
  if (state.cut.one_segment()) {
    axis.factors = {{size, pieces}};
  } else {
    const Run& run = state.cut.runs()[0];
    if (run.count == kDynamic) return std::nullopt;
    axis.factors = {{run.count, 1}, {run.size, pieces}};
  }
  if (state.cut.copies() > 1) Share(state.cut, parts, tensor);
  tensor.axes.push_back(std::move(axis));
  return tensor;
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
      auto told = Told(graph.value(id), state, parts);
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
