#include "tests/nvinfer_standin/attention.h"

#include <algorithm>

#include "tests/nvinfer_standin/tensor.h"

namespace tessera::standin {
namespace {

std::optional<float> NumberOf(const graph::Value& value) {
  if (!value.constant || ElementCount(value.constant->shape) != 1) return std::nullopt;
  const std::optional<std::vector<float>> values = FloatsOf(*value.constant);
  return values ? std::optional(values->at(0)) : std::nullopt;
}

class Finder {
 public:
  explicit Finder(const graph::Graph& graph) : graph_(graph), consumers_(graph.Consumers()) {}

  std::optional<Attention> At(size_t softmax) const {
    const graph::Node& node = graph_.nodes()[softmax];
    if (node.op_type != "Softmax" || node.Int("axis", -1) != -1) return std::nullopt;
    const std::optional<size_t> last = OnlyReader(node.outputs[0]);
    if (!last || !IsProductOf(*last, node.outputs[0])) return std::nullopt;
    Attention found;
    found.v = graph_.nodes()[*last].inputs[1];
    found.nodes = {softmax, *last};
    return AddScores(std::move(found), node.inputs[0]);
  }

 private:
  // Upwards from the softmax's input.
  std::optional<Attention> AddScores(Attention found, graph::ValueId scores) const {
    const graph::NodeId producer = graph_.value(scores).producer;
    if (producer == graph::kNoNode || !OnlyReader(scores)) return std::nullopt;
    const graph::Node& node = graph_.node(producer);
    found.nodes.insert(found.nodes.begin(), static_cast<size_t>(producer.value()));
    if (node.op_type == "MatMul") {
      found.q = node.inputs[0];
      found.k_transposed = node.inputs[1];
      return found;
    }
    const bool scales = found.nodes.size() == 3 && (node.op_type == "Mul" || node.op_type == "Div");
    const std::optional<float> by = scales ? NumberOf(graph_.value(node.inputs[1])) : std::nullopt;
    if (!by || *by == 0) return std::nullopt;
    found.scale = node.op_type == "Mul" ? *by : 1 / *by;
    return AddScores(std::move(found), node.inputs[0]);
  }

  bool IsProductOf(size_t node, graph::ValueId left) const {
    return graph_.nodes()[node].op_type == "MatMul" && graph_.nodes()[node].inputs[0] == left;
  }

  std::optional<size_t> OnlyReader(graph::ValueId id) const {
    const std::vector<graph::NodeId>& readers = consumers_[static_cast<size_t>(id.value())];
    const auto& outputs = graph_.outputs();
    if (readers.size() != 1 || std::find(outputs.begin(), outputs.end(), id) != outputs.end())
      return std::nullopt;
    return static_cast<size_t>(readers.front().value());
  }

  const graph::Graph& graph_;
  const std::vector<std::vector<graph::NodeId>> consumers_;
};

}  // namespace

std::vector<Attention> FindAttentions(const graph::Graph& graph) {
  std::vector<Attention> all;
  const Finder finder(graph);
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    if (std::optional<Attention> found = finder.At(n)) all.push_back(*std::move(found));
  }
  return all;
}

}  // namespace tessera::standin
