// What OpenVINO found, back into the graph's values.
#pragma once

#include <map>
#include <memory>
#include <unordered_map>

#include <openvino/core/node.hpp>

#include "tessera/graph/graph.h"

namespace tessera::graph {

// The graph's numbers of OpenVINO's symbols.
class SymbolNumbers {
 public:
  // `names` and `known`: the declared ones. Numbers of new symbols follow them.
  SymbolNumbers(SymbolNames names, const std::unordered_map<int32_t, std::shared_ptr<ov::Symbol>>& known);
  int32_t NumberOf(const std::shared_ptr<ov::Symbol>& symbol);
  const SymbolNames& names() const { return names_; }

 private:
  SymbolNames names_;
  std::map<std::shared_ptr<ov::Symbol>, int32_t> numbers_;  // by the representative of equal symbols
};

// Gives `value`, which holds what the model declares, all that `output` knows beyond it.
void Transfer(const ov::Output<ov::Node>& output, SymbolNumbers& numbers, Value& value);

}  // namespace tessera::graph
