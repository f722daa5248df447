#include "tessera/graph/openvino/openvino_shape_oracle.h"

#include <map>

#include "tessera/graph/openvino/inference_model.h"
#include "tessera/graph/openvino/shape_transfer.h"
#include "tessera/graph/openvino/symbolic_inference.h"

namespace tessera::graph {
namespace {

constexpr std::string_view kCollective = "DistCollective";
constexpr int kMostTries = 8;  // each learns at least one node to cut or weight to keep

size_t IndexOf(ValueId id) {
  return static_cast<size_t>(id.value());
}
size_t IndexOf(NodeId id) {
  return static_cast<size_t>(id.value());
}

std::set<std::string> CollectiveDomains(const Graph& graph) {
  std::set<std::string> domains;
  for (const Node& node : graph.nodes()) {
    if (node.op_type == kCollective) domains.insert(node.domain);
  }
  return domains;
}

std::string NameOf(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.name.empty()) return fmt::format("node #{} ({})", id.value(), node.op_type);
  return fmt::format("node '{}' ({})", node.name, node.op_type);
}

// OpenVINO takes many operators apart; only where it stayed whole is a failed inference of shapes the model's
// fault and not a form of the operator that OpenVINO does not know.
bool IsContradiction(const Node& node, const Unconverted& unconverted) {
  static const std::map<std::string_view, std::string_view> kOtherNames{{"Sub", "Subtract"},
                                                                        {"Mul", "Multiply"},
                                                                        {"Div", "Divide"},
                                                                        {"Gemm", "MatMul"},
                                                                        {"Conv", "Convolution"}};
  if (node.op_type == kCollective) return true;  // the conversion is our own
  if (unconverted.failed_operator.empty() || !node.domain.empty()) return false;
  const auto other = kOtherNames.find(node.op_type);
  return unconverted.failed_operator == (other == kOtherNames.end() ? node.op_type : other->second);
}

// One inference of one graph.
class Inference {
 public:
  explicit Inference(Graph& graph)
      : graph_(graph),
        choices_{std::vector<bool>(graph.nodes().size()), std::vector<bool>(graph.values().size())} {}

  Result<void> Run() {
    TRY(ConvertAndInfer());
    TransferAll();
    return {};
  }

 private:
  Result<void> ConvertAndInfer();
  Result<bool> LearnFromUnconverted();
  bool KeepWeightsOf(const Node& node);
  bool LearnFromUnknownRanks();
  DeclaredShapes Declared() const;
  void TransferAll();

  Graph& graph_;
  InferenceChoices choices_;
  ConvertedModel converted_;
  SymbolsByNumber symbols_;
};

Result<void> Inference::ConvertAndInfer() {
  const std::set<std::string> domains = CollectiveDomains(graph_);
  for (int i = 0; i < kMostTries; ++i) {
    TRY_ASSIGN(std::string onnx, InferenceModelOf(graph_, choices_));
    TRY_ASSIGN(converted_, ConvertForInference(std::move(onnx), domains));
    TRY_ASSIGN(const bool keeps_more, LearnFromUnconverted());
    if (keeps_more) continue;
    TRY_ASSIGN(symbols_, InferSymbols(Declared(), *converted_.model));
    if (!LearnFromUnknownRanks()) break;
  }
  return {};
}

// True: weights were found that OpenVINO must see, try again.
Result<bool> Inference::LearnFromUnconverted() {
  bool learned = false;
  for (const Unconverted& unconverted : converted_.unconverted) {
    const auto value = graph_.FindValue(unconverted.output);
    if (!value || unconverted.message.empty()) continue;
    const NodeId producer = graph_.value(*value).producer;
    if (producer == kNoNode) continue;
    const Node& node = graph_.node(producer);
    if (KeepWeightsOf(node)) {
      learned = true;
    } else if (IsContradiction(node, unconverted)) {
      return Fail(Code::kInvalidArgument, "{}: {}", NameOf(graph_, producer), unconverted.message);
    }
  }
  return learned;
}

bool Inference::KeepWeightsOf(const Node& node) {
  bool learned = false;
  for (ValueId input : node.inputs) {
    if (input == kNoValue || choices_.keep[IndexOf(input)]) continue;
    const auto& constant = graph_.value(input).constant;
    if (constant == nullptr || !IsLargeWeight(*constant)) continue;
    choices_.keep[IndexOf(input)] = true;
    learned = true;
  }
  return learned;
}

// Cuts nodes of whose outputs the model declares more than OpenVINO finds. True: some were cut, try again.
bool Inference::LearnFromUnknownRanks() {
  const auto outputs = OutputsByName(*converted_.model);
  bool learned = false;
  for (const Value& value : graph_.values()) {
    if (value.producer == kNoNode || !value.has_shape || value.type == DType::kUndefined) continue;
    const auto found = outputs.find(value.name);
    if (found != outputs.end() && found->second.get_partial_shape().rank().is_static()) continue;
    if (choices_.cut[IndexOf(value.producer)]) continue;
    choices_.cut[IndexOf(value.producer)] = true;
    learned = true;
  }
  return learned;
}

DeclaredShapes Inference::Declared() const {
  DeclaredShapes declared;
  for (const Value& value : graph_.values()) {
    if (value.has_shape && value.constant == nullptr) {
      declared.emplace(value.name, DeclaredShape{value.shape, value.symbols});
    }
  }
  return declared;
}

void Inference::TransferAll() {
  const auto outputs = OutputsByName(*converted_.model);
  SymbolNumbers numbers(graph_.symbol_names, symbols_);
  for (size_t i = 0; i < graph_.values().size(); ++i) {
    Value& value = graph_.value(ValueId{static_cast<int32_t>(i)});
    const auto found = outputs.find(value.name);
    if (value.constant == nullptr && found != outputs.end()) Transfer(found->second, numbers, value);
  }
  graph_.symbol_names = numbers.names();
}

class OpenVinoShapeOracle final : public ShapeOracle {
 public:
  Result<void> Infer(Graph& graph) override try {
    return Inference(graph).Run();
  } catch (const std::exception& error) {
    return Fail(Code::kInternal, "OpenVINO: {}", error.what());
  }
};

}  // namespace

std::unique_ptr<ShapeOracle> MakeOpenVinoShapeOracle() {
  return std::make_unique<OpenVinoShapeOracle>();
}

}  // namespace tessera::graph
