// What is known of a value while a model is read: ranks, sizes, and the elements of shape chains.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "tessera/base/types.h"
#include "tessera/graph/schema.h"

namespace tessera::graph {

struct Fact {
  bool has_rank = false;
  Shape shape;  // kDynamic where not known
  bool has_elements = false;
  std::vector<std::optional<int64_t>> elements;  // of integers and truth values; nullopt: depends on the run

  static Fact Of(Shape shape);
  static Fact Of(Shape shape, std::vector<std::optional<int64_t>> elements);
  bool operator==(const Fact&) const = default;
};

using Facts = std::unordered_map<std::string, Fact>;
// Null: nothing is known of the value.
using FindFact = std::function<const Fact*(const std::string&)>;

Fact FactOf(const pb::TensorProto& tensor);
Fact FactOf(const pb::ValueInfoProto& value);
// What holds of a value that is one or the other.
Fact Either(const Fact& a, const Fact& b);

// What follows for the outputs of a node without subgraphs; an op that is not known tells nothing. nullopt:
// the node can only fail, whatever the model is given.
std::optional<std::vector<Fact>> Infer(const pb::NodeProto& node, const FindFact& find);

}  // namespace tessera::graph
