#include "tessera/graph/half_choice.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace tessera::graph {
namespace {

constexpr std::array<std::string_view, 62> kInHalf{"Abs",
                                                   "Add",
                                                   "Attention",
                                                   "AveragePool",
                                                   "BatchNormalization",
                                                   "Clip",
                                                   "Concat",
                                                   "Conv",
                                                   "ConvTranspose",
                                                   "DepthToSpace",
                                                   "Div",
                                                   "Einsum",
                                                   "Elu",
                                                   "Erf",
                                                   "Expand",
                                                   "Flatten",
                                                   "Gather",
                                                   "GatherElements",
                                                   "GatherND",
                                                   "Gelu",
                                                   "Gemm",
                                                   "GlobalAveragePool",
                                                   "GlobalMaxPool",
                                                   "HardSigmoid",
                                                   "HardSwish",
                                                   "Identity",
                                                   "IsNaN",
                                                   "LeakyRelu",
                                                   "MatMul",
                                                   "Max",
                                                   "MaxPool",
                                                   "Min",
                                                   "Mish",
                                                   "Mul",
                                                   "Neg",
                                                   "PRelu",
                                                   "Pad",
                                                   "ReduceMax",
                                                   "ReduceMin",
                                                   "Relu",
                                                   "Reshape",
                                                   "RotaryEmbedding",
                                                   "ScatterElements",
                                                   "ScatterND",
                                                   "Selu",
                                                   "Sigmoid",
                                                   "Slice",
                                                   "Softmax",
                                                   "Softplus",
                                                   "Softsign",
                                                   "SpaceToDepth",
                                                   "Split",
                                                   "Squeeze",
                                                   "Sub",
                                                   "Swish",
                                                   "Tanh",
                                                   "ThresholdedRelu",
                                                   "Tile",
                                                   "Transpose",
                                                   "Trilu",
                                                   "Unsqueeze",
                                                   "Where"};

// TensorRT has these in FP16, but not in BF16: its builder has no such ConvTranspose, its parser refuses the
// others.
constexpr std::array<std::string_view, 3> kNotInBf16{"ConvTranspose", "HardSwish", "Mish"};

// What these read must be exact: angles, which grow with the position, numbers that become indexes or sizes,
// and variances, whose epsilon may be nothing in FP16 and which BF16 knows to three digits.
constexpr std::array<std::string_view, 12> kExact{"Ceil",  "Cos",   "CumSum",     "Floor", "Log",  "NonZero",
                                                  "Range", "Round", "Reciprocal", "Sin",   "Sqrt", "TopK"};
constexpr std::array<std::string_view, 19> kCarriesExact{
    "Add", "Clip", "Concat",  "Div",   "Einsum", "Expand",  "Gather", "Identity",  "MatMul",   "Max",
    "Mul", "Neg",  "Reshape", "Slice", "Split",  "Squeeze", "Sub",    "Transpose", "Unsqueeze"};

// So must positions and counts that these compare: BF16 knows whole numbers to 256 only.
constexpr std::array<std::string_view, 5> kCompares{"Equal", "Greater", "GreaterOrEqual", "Less",
                                                    "LessOrEqual"};

template <size_t kCount>
bool Among(const std::array<std::string_view, kCount>& ops, const Node& node) {
  return node.domain.empty() && std::find(ops.begin(), ops.end(), node.op_type) != ops.end();
}

// Without a value it makes FP32 zeros, whatever is asked of it.
bool MakesGivenConstant(const Node& node) {
  return node.domain.empty() && node.op_type == "ConstantOfShape" && node.Find("value") != nullptr;
}

bool AnyFull(const Graph& graph, const std::vector<ValueId>& values) {
  return std::any_of(values.begin(), values.end(), [&](ValueId id) { return IsFull(graph, id); });
}

bool MakesIntegers(const Graph& graph, const Node& node) {
  return node.op_type == "Cast" && !node.outputs.empty() && IsInteger(graph.value(node.outputs[0]).type);
}

bool IsFromIntegers(const Graph& graph, const Node& node) {
  return node.op_type == "Cast" && !node.inputs.empty() && IsInteger(graph.value(node.inputs[0]).type);
}

// By value: FP32 that was worked out from integers and constants alone.
std::vector<bool> Counted(const Graph& graph) {
  std::vector<bool> counted(graph.values().size(), false);
  const auto is = [&](ValueId id) { return id != kNoValue && counted[static_cast<size_t>(id.value())]; };
  for (const Node& node : graph.nodes()) {
    const bool goes_on = Among(kCarriesExact, node) &&
                         std::any_of(node.inputs.begin(), node.inputs.end(), is) &&
                         std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
                           return is(id) || !IsFull(graph, id) || graph.value(id).constant != nullptr;
                         });
    if (!goes_on && !IsFromIntegers(graph, node)) continue;
    for (const ValueId output : node.outputs) {
      if (IsFull(graph, output)) counted[static_cast<size_t>(output.value())] = true;
    }
  }
  return counted;
}

bool IsMean(const Node& node) {
  return node.op_type == "ReduceMean" || node.op_type == "ReduceSum";
}

bool IsSquare(const Node& node) {
  return node.op_type == "Mul" && node.inputs.size() == 2 && node.inputs[0] == node.inputs[1];
}

// Takes the nodes before `node` out that what it reads in FP32 comes from: all readers come later, so one
// pass from the back is enough.
class ExactParts {
 public:
  explicit ExactParts(const Graph& graph)
      : graph_(graph), counted_(Counted(graph)), exact_(graph.nodes().size(), false) {}

  std::vector<bool> Find() {
    for (size_t n = graph_.nodes().size(); n-- > 0;) {
      const Node& node = graph_.nodes()[n];
      const bool begins = Among(kExact, node) || MakesIntegers(graph_, node) || ComparesCounted(node);
      if (begins || exact_[n]) Mark(node, [](const Node& maker) { return Among(kCarriesExact, maker); });
      if (IsMean(node)) Mark(node, IsSquare);
    }
    return std::move(exact_);
  }

 private:
  bool ComparesCounted(const Node& node) const {
    return Among(kCompares, node) && std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
             return id != kNoValue && counted_[static_cast<size_t>(id.value())];
           });
  }

  template <class Goes>
  void Mark(const Node& node, const Goes& goes) {
    for (const ValueId input : node.inputs) {
      if (!IsFull(graph_, input)) continue;
      const NodeId maker = graph_.value(input).producer;
      if (maker != kNoNode && goes(graph_.node(maker))) exact_[static_cast<size_t>(maker.value())] = true;
    }
  }

  const Graph& graph_;
  const std::vector<bool> counted_;
  std::vector<bool> exact_;
};

}  // namespace

bool IsFull(const Graph& graph, ValueId id) {
  if (id == kNoValue) return false;
  const Value& value = graph.value(id);
  return (value.constant ? value.constant->type : value.type) == DType::kFloat32;
}

std::vector<bool> NodesInHalf(const Graph& graph, DType type) {
  std::vector<bool> half = ExactParts(graph).Find();
  for (size_t n = 0; n < half.size(); ++n) {
    const Node& node = graph.nodes()[n];
    const bool able = Among(kInHalf, node) || MakesGivenConstant(node) || node.op_type == "DistCollective";
    const bool refused = type == DType::kBFloat16 && Among(kNotInBf16, node);
    half[n] = able && !refused && !half[n] && (AnyFull(graph, node.inputs) || AnyFull(graph, node.outputs));
  }
  return half;
}

}  // namespace tessera::graph
