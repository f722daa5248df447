#include "tessera/graph/half.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "tessera/base/element.h"
#include "tessera/graph/element_types.h"
#include "tessera/graph/half_choice.h"

namespace tessera::graph {
namespace {

struct Format {
  DType type;
  double largest;  // finite
};

Result<Format> FormatOf(DType type) {
  if (type == DType::kFloat16) return Format{type, 65504};
  if (type == DType::kBFloat16) return Format{type, 0x1.FEp127};
  return Fail(Code::kInvalidArgument, "FP32 cannot become {}, wanted FP16 or BF16", DTypeName(type));
}

// Adds the nodes anew, in their order, each behind the casts that it needs.
class Halving {
 public:
  Halving(Graph& graph, const Format& format)
      : graph_(graph),
        format_(format),
        half_nodes_(NodesInHalf(graph, format.type)),
        made_in_half_(graph.values().size(), false),
        outputs_(graph.outputs().begin(), graph.outputs().end()) {}

  Result<HalfReport> Run() {
    TRY(FindMadeInHalf());
    const std::vector<Node> nodes = graph_.nodes();
    std::set<NodeId> all;
    for (size_t n = 0; n < nodes.size(); ++n) all.insert(NodeId{static_cast<int32_t>(n)});
    graph_.RemoveNodes(all);
    for (size_t n = 0; n < nodes.size(); ++n) TRY(Add(nodes[n], half_nodes_[n]));
    return report_;
  }

 private:
  Result<void> FindMadeInHalf() {
    for (size_t n = 0; n < half_nodes_.size(); ++n) {
      if (!half_nodes_[n]) continue;
      const Node& node = graph_.nodes()[n];
      for (const ValueId output : node.outputs) {
        if (output == kNoValue) continue;
        if (graph_.value(output).type == DType::kUndefined) {
          return Fail(Code::kInvalidArgument, "node '{}' ({}): the type of its output '{}' is not known",
                      node.name, node.op_type, graph_.value(output).name);
        }
        made_in_half_[static_cast<size_t>(output.value())] = IsFull(graph_, output);
      }
    }
    return {};
  }

  bool MadeInHalf(ValueId id) const {
    return static_cast<size_t>(id.value()) < made_in_half_.size() &&
           made_in_half_[static_cast<size_t>(id.value())];
  }

  Result<void> Add(Node node, bool half) {
    const bool touches = std::any_of(node.inputs.begin(), node.inputs.end(),
                                     [&](ValueId id) { return id != kNoValue && IsOrWasFull(id); });
    for (ValueId& input : node.inputs) {
      if (input == kNoValue || !IsOrWasFull(input)) continue;
      if (half) {
        TRY_ASSIGN(input, InHalf(input));
      } else {
        input = InFull(input);
      }
    }
    for (Attribute& attribute : node.attributes) {
      if (half && attribute.tensor) {
        TRY_ASSIGN(Constant converted, Converted(*attribute.tensor));
        attribute.tensor = std::make_shared<const Constant>(std::move(converted));
      }
      for (ValueId& captured : attribute.captured) {
        if (IsOrWasFull(captured)) captured = InFull(captured);
      }
    }
    if (half) {
      ++report_.nodes_in_half;
    } else if (touches) {
      ++report_.nodes_in_full;
    }
    AddWithOutputs(std::move(node));
    return {};
  }

  bool IsOrWasFull(ValueId id) const { return MadeInHalf(id) || IsFull(graph_, id); }

  // An output of the model keeps its name and type: a Cast makes it.
  void AddWithOutputs(Node node) {
    std::vector<std::pair<ValueId, ValueId>> outward;
    for (ValueId& output : node.outputs) {
      if (output == kNoValue || !MadeInHalf(output)) continue;
      if (outputs_.contains(output)) {
        const ValueId half = Like(output, format_.type);
        in_half_[output] = half;
        outward.emplace_back(half, output);
        output = half;
      } else {
        graph_.value(output).type = format_.type;
      }
    }
    graph_.AddNode(std::move(node));
    for (const auto& [half, output] : outward) AddCast(half, output);
  }

  Result<ValueId> InHalf(ValueId id) {
    if (MadeInHalf(id) && !outputs_.contains(id)) return id;
    if (const auto found = in_half_.find(id); found != in_half_.end()) return found->second;
    ValueId half = kNoValue;
    if (const auto constant = graph_.value(id).constant; constant && !graph_.value(id).overridable) {
      TRY_ASSIGN(Constant converted, Converted(*constant));
      half = graph_.AddConstant(graph_.value(id).name + "." + LowerName(format_.type), std::move(converted));
    } else {
      half = Like(id, format_.type);
      AddCast(id, half);
    }
    in_half_[id] = half;
    return half;
  }

  ValueId InFull(ValueId id) {
    if (!MadeInHalf(id) || outputs_.contains(id)) return id;
    if (const auto found = in_full_.find(id); found != in_full_.end()) return found->second;
    const ValueId full = Like(id, DType::kFloat32);
    AddCast(id, full);
    in_full_[id] = full;
    return full;
  }

  Result<Constant> Converted(const Constant& constant) {
    TRY_ASSIGN(const ElementAccess from, AccessOf(DType::kFloat32));
    TRY_ASSIGN(const ElementAccess to, AccessOf(format_.type));
    if (constant.raw != nullptr)
      return Fail(Code::kUnsupported, "a sparse tensor cannot become {}", DTypeName(format_.type));
    const size_t count = constant.bytes.size() / from.bytes;
    std::vector<std::byte> halves(count * to.bytes);
    for (size_t i = 0; i < count; ++i) {
      double element = from.read(constant.bytes.data() + i * from.bytes);
      if (std::isfinite(element) && std::abs(element) > format_.largest) {
        element = std::copysign(format_.largest, element);
        ++report_.clamped;
      }
      to.write(halves.data() + i * to.bytes, element);
    }
    return Constant::OfBytes(format_.type, constant.shape, std::move(halves));
  }

  ValueId Like(ValueId id, DType type) {
    const Value like = graph_.value(id);
    const ValueId made = graph_.AddValue(like.name + "." + LowerName(type), type, like.shape);
    graph_.value(made).has_shape = like.has_shape;
    graph_.value(made).symbols = like.symbols;
    return made;
  }

  void AddCast(ValueId from, ValueId to) {
    Node cast;
    cast.name = graph_.value(to).name + ".cast";
    cast.op_type = "Cast";
    cast.inputs = {from};
    cast.outputs = {to};
    cast.Set("to", static_cast<int64_t>(ToOnnxType(graph_.value(to).type)));
    graph_.AddNode(std::move(cast));
  }

  Graph& graph_;
  const Format format_;
  const std::vector<bool> half_nodes_;
  std::vector<bool> made_in_half_;  // by value
  const std::set<ValueId> outputs_;
  std::map<ValueId, ValueId> in_half_;
  std::map<ValueId, ValueId> in_full_;
  HalfReport report_;
};

}  // namespace

std::string LowerName(DType type) {
  std::string name(DTypeName(type));
  for (char& letter : name) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return name;
}

Result<HalfReport> ToHalf(Graph& graph, DType type) {
  TRY_ASSIGN(const Format format, FormatOf(type));
  return Halving(graph, format).Run();
}

}  // namespace tessera::graph
