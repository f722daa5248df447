// Which names the graphs inside an attribute take from the graph around them.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "tessera/graph/schema.h"

namespace tessera::graph {

struct SubgraphNames {
  std::vector<std::string>
      captured;  // read from the enclosing graph; each once, in the order of the first reading
  std::vector<std::string> defined;  // names of values defined inside, at any depth
};

// The message stays as it is.
SubgraphNames NamesOf(pb::AttributeProto& attribute);
SubgraphNames NamesOf(pb::GraphProto& graph);

// Gives captured names other names, wherever a subgraph reads them.
void RenameCaptured(const std::unordered_map<std::string, std::string>& renamed,
                    pb::AttributeProto& attribute);

}  // namespace tessera::graph
