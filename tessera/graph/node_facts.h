// A node as the rules of fact_rules.cc see it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/graph/facts.h"

namespace tessera::graph {

// A node and what is known of its inputs.
class NodeFacts {
 public:
  NodeFacts(const pb::NodeProto& node, const FindFact& find) : node_(node) {
    for (const std::string& input : node.input()) {
      const Fact* fact = input.empty() ? nullptr : find(input);
      inputs_.push_back(fact == nullptr ? Fact() : *fact);
    }
  }

  const Fact& in(int i) const {
    static const Fact kNothing;
    return i < static_cast<int>(inputs_.size()) ? inputs_[static_cast<size_t>(i)] : kNothing;
  }
  const pb::AttributeProto* Find(std::string_view name) const {
    for (const auto& attribute : node_.attribute()) {
      if (attribute.name() == name) return &attribute;
    }
    return nullptr;
  }
  int64_t Int(std::string_view name, int64_t otherwise) const {
    const auto* attribute = Find(name);
    return attribute == nullptr ? otherwise : attribute->i();
  }
  int inputs() const { return node_.input_size(); }
  const std::string& op() const { return node_.op_type(); }

  // The axes of Squeeze and Unsqueeze: an attribute before opset 13, an input since; nullopt: not known.
  std::optional<std::vector<int64_t>> Axes() const {
    std::vector<int64_t> axes;
    if (const auto* attribute = Find("axes"))
      return std::vector(attribute->ints().begin(), attribute->ints().end());
    if (!in(1).has_elements) return std::nullopt;
    for (const auto& axis : in(1).elements) {
      if (!axis) return std::nullopt;
      axes.push_back(*axis);
    }
    return axes;
  }

 private:
  const pb::NodeProto& node_;
  std::vector<Fact> inputs_;
};

}  // namespace tessera::graph
