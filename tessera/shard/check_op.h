// What the tables of the checker's labels are made with: a view of a node of the model, and letters for
// dimensions.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tessera/graph/graph.h"
#include "tessera/shard/check_labels.h"

namespace tessera::shard::check {

// A node with its operands' values; an absent operand has no value and rank 0.
class Op {
 public:
  Op(const graph::Graph& model, const graph::Node& node) : model_(model), node_(node) {
    for (const auto id : node.inputs)
      all_shaped_ = all_shaped_ && (id == graph::kNoValue || model.value(id).has_shape);
  }

  const graph::Node& node() const { return node_; }
  int64_t opset() const { return model_.opset(); }
  size_t inputs() const { return node_.inputs.size(); }
  bool shaped() const { return all_shaped_; }
  const graph::Value* in(size_t i) const {
    return i < inputs() && node_.inputs[i] != graph::kNoValue ? &model_.value(node_.inputs[i]) : nullptr;
  }
  const graph::Value* out(size_t i) const {
    return node_.outputs.size() > i && node_.outputs[i] != graph::kNoValue ? &model_.value(node_.outputs[i])
                                                                           : nullptr;
  }
  size_t rank(size_t i = 0) const { return in(i) == nullptr ? 0 : in(i)->shape.size(); }
  std::optional<std::vector<int64_t>> constant(size_t i) const {
    return in(i) == nullptr || !in(i)->constant ? std::nullopt : graph::AsInt64(*in(i)->constant);
  }
  size_t axis(int64_t otherwise) const {
    const int64_t a = node_.Int("axis", otherwise);
    return static_cast<size_t>(a < 0 ? a + static_cast<int64_t>(rank()) : a);
  }

 private:
  const graph::Graph& model_;
  const graph::Node& node_;
  bool all_shaped_ = true;
};

// The sizes of these dimensions are the same, as far as is known.
bool Same(const graph::Value& a, size_t da, const graph::Value& b, size_t db);

// "abc.." for so many dimensions.
std::string Fresh(size_t rank, char first = 'a');

// `text` with these dimensions whole.
std::string Whole(std::string text, const std::set<size_t>& dims);

// The letters of `out` for an operand that broadcasts to it; '.' where its size is not the output's.
std::string Aligned(const graph::Value& operand, const graph::Value& out, const std::string& letters);

// The first output is like the first input with some dimensions whole; other operands are whole.
std::optional<Labels> Like(const Op& op, const std::set<size_t>& whole);

// from, from + 1 .. to - 1.
std::set<size_t> Range(size_t from, size_t to);

// The labels of one form of an op, nullopt where it is not such a form.
using Maker = std::function<std::optional<Labels>(const Op&)>;
using Table = std::map<std::string, Maker, std::less<>>;

}  // namespace tessera::shard::check
