#include "tessera/shard/report/blocks.h"

#include <algorithm>

namespace tessera::shard::report {
namespace {

// Nodes that look alike in two layers: the same op on the same shapes, cut alike.
uint64_t KindOf(const graph::Graph& graph, size_t node, const NodeView& view) {
  const std::hash<std::string> hash;
  uint64_t kind = hash(view.op);
  const auto mix = [&](const std::string& text) { kind = kind * 0x100000001b3U ^ hash(text); };
  mix(view.state);
  mix(view.shape);
  mix(view.weights);
  for (const graph::ValueId id : graph.nodes()[node].inputs)
    mix(id == graph::kNoValue ? "" : graph.value(id).constant ? "c" : "v");
  return kind;
}

// By place between nodes: how many values are made before it and read after it.
std::vector<uint32_t> Crossing(const Sources& sources) {
  std::vector<size_t> last_reader(sources.size());
  for (size_t n = 0; n < sources.size(); ++n) {
    for (const size_t from : sources[n]) last_reader[from] = n;
  }
  std::vector<int64_t> change(sources.size() + 2);
  for (size_t n = 0; n < sources.size(); ++n) {
    if (last_reader[n] == 0) continue;
    ++change[n + 1];
    --change[last_reader[n] + 1];
  }
  std::vector<uint32_t> crossing;
  int64_t alive = 0;
  for (size_t place = 0; place <= sources.size(); ++place) {
    alive += change[place];
    crossing.push_back(static_cast<uint32_t>(alive));
  }
  return crossing;
}

}  // namespace

Sources SourcesOf(const graph::Graph& graph) {
  Sources sources(graph.nodes().size());
  for (size_t n = 0; n < sources.size(); ++n) {
    const auto add = [&](graph::ValueId id) {
      if (id == graph::kNoValue || graph.value(id).producer == graph::kNoNode) return;
      sources[n].push_back(static_cast<size_t>(graph.value(id).producer.value()));
    };
    for (const graph::ValueId id : graph.nodes()[n].inputs) add(id);
    for (const auto& attribute : graph.nodes()[n].attributes) {
      for (const graph::ValueId id : attribute.captured) add(id);
    }
    std::sort(sources[n].begin(), sources[n].end());
    sources[n].erase(std::unique(sources[n].begin(), sources[n].end()), sources[n].end());
  }
  return sources;
}

std::vector<Segment> BlocksOf(const graph::Graph& graph, const std::vector<NodeView>& views,
                              const Sources& sources) {
  std::vector<uint64_t> kinds;
  for (size_t n = 0; n < views.size(); ++n) kinds.push_back(KindOf(graph, n, views[n]));
  return Fold(kinds, Crossing(sources));
}

}  // namespace tessera::shard::report
