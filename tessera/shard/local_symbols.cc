#include "tessera/shard/local_symbols.h"

#include <map>

namespace tessera::shard {
namespace {

class LocalSymbols {
 public:
  explicit LocalSymbols(graph::Graph& graph) : graph_(graph) {}

  void Rename(graph::ValueId id, const State& state) {
    graph::Value& value = graph_.value(id);
    if (!state.split()) return;
    const auto axis = static_cast<size_t>(state.axis);
    if (axis >= value.symbols.size() || value.shape[axis] != kDynamic || value.symbols[axis] < 0) return;
    value.symbols[axis] = PartOf(value.symbols[axis]);
  }

 private:
  int32_t PartOf(int32_t whole) {
    const auto [part, fresh] = parts_.try_emplace(whole, static_cast<int32_t>(graph_.symbol_names.size()));
    if (fresh) {
      const std::string& name = graph_.symbol_names[static_cast<size_t>(whole)];
      graph_.symbol_names.push_back(name.empty() ? "" : name + ".part");
    }
    return part->second;
  }

  graph::Graph& graph_;
  std::map<int32_t, int32_t> parts_;  // of a whole dimension's symbol
};

}  // namespace

void NameLocalSizes(RankModel& model) {
  LocalSymbols symbols(model.graph);
  for (const auto& [value, origin] : model.origin) symbols.Rename(value, origin.second);
}

}  // namespace tessera::shard
