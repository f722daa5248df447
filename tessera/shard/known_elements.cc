#include "tessera/shard/known_elements.h"

#include <algorithm>
#include <functional>
#include <map>

#include "tessera/shard/rule.h"

namespace tessera::shard {
namespace {

using graph::Node;
using graph::Value;

// Larger tensors are data, not shapes.
constexpr size_t kMostElements = 64;

class Evaluator {
 public:
  explicit Evaluator(const graph::Graph& graph) : graph_(graph), known_(graph.values().size()) {
    for (size_t v = 0; v < known_.size(); ++v) {
      const auto& constant = graph_.values()[v].constant;
      if (!constant || !IsStatic(constant->shape) ||
          ElementCount(constant->shape) > static_cast<int64_t>(kMostElements))
        continue;
      if (const auto numbers = AsInt64(*constant)) {
        for (const int64_t number : *numbers) known_[v].push_back({number, -1});
      }
    }
  }

  // Nodes come in the order of the graph.
  void Visit(const Node& node) {
    if (node.outputs.empty() || node.outputs[0] == graph::kNoValue) return;
    Elements result = Evaluate(node);
    if (result.size() <= kMostElements) known_[Index(node.outputs[0])] = std::move(result);
  }

  const Elements& Of(graph::ValueId id) const { return known_[Index(id)]; }
  std::vector<Elements> Take() { return std::move(known_); }

 private:
  static size_t Index(graph::ValueId id) { return static_cast<size_t>(id.value()); }

  const Elements& Input(const Node& node, size_t i) const {
    static const Elements none;
    return i < node.inputs.size() && node.inputs[i] != graph::kNoValue ? known_[Index(node.inputs[i])] : none;
  }

  // All elements of an input as numbers; nullopt if one is not known.
  std::optional<std::vector<int64_t>> Numbers(const Node& node, size_t i) const {
    const Elements& elements = Input(node, i);
    std::vector<int64_t> numbers;
    for (const Element& e : elements) {
      if (!e.number) return std::nullopt;
      numbers.push_back(*e.number);
    }
    if (numbers.empty()) return std::nullopt;
    return numbers;
  }

  Elements Evaluate(const Node& node) const {
    if (node.op_type == "Shape") return ShapeOf(node);
    if (node.op_type == "Concat") return Concat(node);
    if (node.op_type == "Gather") return Gather(node);
    if (node.op_type == "Slice") return Slice(node);
    for (const char* same : {"Cast", "Identity", "Squeeze", "Unsqueeze", "Reshape"}) {
      if (node.op_type == same) return Input(node, 0);
    }
    if (node.op_type == "Add") return Apply(node, std::plus<int64_t>());
    if (node.op_type == "Sub") return Apply(node, std::minus<int64_t>());
    if (node.op_type == "Mul") return Apply(node, std::multiplies<int64_t>());
    if (node.op_type == "Div") return Apply(node, [](int64_t a, int64_t b) { return b == 0 ? 0 : a / b; });
    return {};
  }

  Elements ShapeOf(const Node& node) const {
    const Value& value = graph_.value(node.inputs[0]);
    if (!value.has_shape) return {};
    Elements sizes;
    for (size_t d = 0; d < value.shape.size(); ++d) {
      if (value.shape[d] != kDynamic)
        sizes.push_back({value.shape[d], -1});
      else
        sizes.push_back({std::nullopt, d < value.symbols.size() ? value.symbols[d] : -1});
    }
    const auto rank = static_cast<int64_t>(sizes.size());
    const auto bound = [&](const char* name, int64_t otherwise) {
      const int64_t at = node.Int(name, otherwise);
      return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank);
    };
    const int64_t start = bound("start", 0);
    return {sizes.begin() + start, sizes.begin() + std::max(start, bound("end", rank))};
  }

  Elements Concat(const Node& node) const {
    Elements all;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Elements& part = Input(node, i);
      if (!part.empty()) {
        all.insert(all.end(), part.begin(), part.end());
        continue;
      }
      // A part of which nothing is known still takes its places.
      const Value& value = graph_.value(node.inputs[i]);
      if (!value.has_shape || value.shape.size() != 1 || value.shape[0] == kDynamic) return {};
      all.resize(all.size() + static_cast<size_t>(value.shape[0]));
    }
    return all;
  }

  Elements Gather(const Node& node) const {
    const Elements& data = Input(node, 0);
    const auto indices = Numbers(node, 1);
    const Value& value = graph_.value(node.inputs[0]);
    if (data.empty() || !indices || !value.has_shape || value.shape.size() != 1) return {};
    Elements taken;
    for (const int64_t i : *indices) {
      const int64_t at = i < 0 ? i + static_cast<int64_t>(data.size()) : i;
      if (at < 0 || at >= static_cast<int64_t>(data.size())) return {};
      taken.push_back(data[static_cast<size_t>(at)]);
    }
    return taken;
  }

  Elements Slice(const Node& node) const {
    const Elements& data = Input(node, 0);
    const auto starts = Numbers(node, 1);
    const auto ends = Numbers(node, 2);
    const Value& value = graph_.value(node.inputs[0]);
    if (data.empty() || !starts || !ends || !value.has_shape || value.shape.size() != 1) return {};
    const bool steps = node.inputs.size() > 4 && node.inputs[4] != graph::kNoValue;
    if (steps && Numbers(node, 4) != std::vector<int64_t>{1}) return {};
    const auto size = static_cast<int64_t>(data.size());
    const auto clip = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + size : at, 0, size); };
    const int64_t start = clip((*starts)[0]);
    return {data.begin() + start, data.begin() + std::max(start, clip((*ends)[0]))};
  }

  template <class Op>
  Elements Apply(const Node& node, Op op) const {
    const Elements& a = Input(node, 0);
    const Elements& b = Input(node, 1);
    if (a.empty() || b.empty() || (a.size() != b.size() && a.size() != 1 && b.size() != 1)) return {};
    if (!IsInteger(graph_.value(node.inputs[0]).type)) return {};
    Elements result(std::max(a.size(), b.size()));
    for (size_t i = 0; i < result.size(); ++i) {
      const auto& x = a[a.size() == 1 ? 0 : i];
      const auto& y = b[b.size() == 1 ? 0 : i];
      if (x.number && y.number) result[i].number = op(*x.number, *y.number);
    }
    return result;
  }

  const graph::Graph& graph_;
  std::vector<Elements> known_;
};

// Fills one output's open dimensions.
class Refiner {
 public:
  explicit Refiner(graph::Graph& graph) : graph_(graph), evaluator_(graph) {}

  void Run() {
    for (size_t n = 0; n < graph_.nodes().size(); ++n) {
      const Node& node = graph_.nodes()[n];
      if (HasOpenOutput(node)) {
        if ((node.op_type == "Reshape" || node.op_type == "Expand") && node.inputs.size() > 1)
          FromTarget(node);
        if (node.op_type == "Range") FromRange(node);
        FromRule(node);
      }
      evaluator_.Visit(node);
    }
  }

 private:
  bool HasOpenOutput(const Node& node) const {
    return std::any_of(node.outputs.begin(), node.outputs.end(), [&](graph::ValueId id) {
      return id != graph::kNoValue && graph_.value(id).has_shape && !IsStatic(graph_.value(id).shape);
    });
  }

  static void Fill(Value& value, size_t dim, int64_t size, int32_t symbol) {
    if (value.shape[dim] != kDynamic) return;
    value.symbols.resize(value.shape.size(), -1);
    if (size != kDynamic) {
      value.shape[dim] = size;
      value.symbols[dim] = -1;
    } else if (symbol >= 0) {
      value.symbols[dim] = symbol;
    }
  }

  // -1 and 0 of a target say nothing here; nor does 1 in Expand, where the input's size wins.
  void FromTarget(const Node& node) {
    const Elements& target = evaluator_.Of(node.inputs[1]);
    Value& value = graph_.value(node.outputs[0]);
    if (target.size() > value.shape.size()) return;
    const size_t skipped = value.shape.size() - target.size();
    if (skipped != 0 && node.op_type == "Reshape") return;
    const bool expand = node.op_type == "Expand";
    for (size_t i = 0; i < target.size(); ++i) {
      const int64_t size = target[i].number.value_or(kDynamic);
      if (size > (expand ? 1 : 0))
        Fill(value, i + skipped, size, -1);
      else if (!target[i].number &&
               (!expand || Broadcast(graph_.value(node.inputs[0]), value.shape.size() - i - skipped)))
        Fill(value, i + skipped, kDynamic, target[i].symbol);
    }
  }

  // Whether a tensor has size 1, or nothing, at the `from_right`-th dimension from the right.
  static bool Broadcast(const Value& value, size_t from_right) {
    return value.has_shape &&
           (from_right > value.shape.size() || value.shape[value.shape.size() - from_right] == 1);
  }

  // Range(0, size, 1) is as long as that size.
  void FromRange(const Node& node) {
    const Elements& start = evaluator_.Of(node.inputs[0]);
    const Elements& limit = evaluator_.Of(node.inputs[1]);
    const Elements& step = evaluator_.Of(node.inputs[2]);
    const bool counts = start.size() == 1 && start[0].number == 0 && step.size() == 1 && step[0].number == 1;
    Value& value = graph_.value(node.outputs[0]);
    if (counts && limit.size() == 1 && value.shape.size() == 1) {
      Fill(value, 0, limit[0].number.value_or(kDynamic), limit[0].symbol);
    }
  }

  // An output dimension that is one factor has that factor's size.
  void FromRule(const Node& node) {
    const auto rule = RuleFor(OpView(graph_, node));
    if (!rule) return;
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      if (node.outputs[o] == graph::kNoValue) continue;
      Value& value = graph_.value(node.outputs[o]);
      for (size_t d = 0; d < rule->outputs[o].size(); ++d) {
        const FactorDim& dim = rule->outputs[o][d];
        if (dim.size() != 1) continue;
        const Factor& factor = rule->factors[static_cast<size_t>(dim[0])];
        Fill(value, d, factor.size, factor.whole ? -1 : factor.symbol);
      }
    }
  }

  graph::Graph& graph_;
  Evaluator evaluator_;
};

}  // namespace

std::vector<Elements> KnownElements(const graph::Graph& graph) {
  Evaluator evaluator(graph);
  for (const Node& node : graph.nodes()) evaluator.Visit(node);
  return evaluator.Take();
}

void RefineShapes(graph::Graph& graph) {
  Refiner(graph).Run();
}

}  // namespace tessera::shard
