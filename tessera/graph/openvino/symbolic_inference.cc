#include "tessera/graph/openvino/symbolic_inference.h"

#include <openvino/frontend/manager.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/result.hpp>
#include <openvino/op/util/framework_node.hpp>
#include <sstream>
#include <unordered_set>

#include "tessera/graph/openvino/dist_collective.h"
#include "tessera/graph/openvino/symbol_rules.h"

namespace tessera::graph {
namespace {

constexpr const char* kFailedConversion = "onnx::NotSupportedONNXNode::failed_conversion_key";

// The last line that says something: OpenVINO puts the reason below the place of the check.
std::string OneLine(const std::string& text) {
  std::istringstream lines(text);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

// "MatMul" in "While validating node 'opset1::MatMul MatMul_3 (...": the operation whose shapes did not fit.
std::string OperatorIn(const std::string& text) {
  static constexpr std::string_view kBefore = "While validating node 'opset";
  const size_t found = text.find(kBefore);
  if (found == std::string::npos || text.find("shape_inference") == std::string::npos) return {};
  const size_t start = text.find("::", found + kBefore.size());
  if (start == std::string::npos) return {};
  return text.substr(start + 2, text.find(' ', start) - start - 2);
}

std::vector<Unconverted> FindUnconverted(const ov::Model& model) {
  std::vector<Unconverted> found;
  for (const auto& op : model.get_ops()) {
    const auto node = ov::as_type_ptr<ov::op::util::FrameworkNode>(op);
    if (node == nullptr) continue;
    Unconverted unconverted;
    for (const auto& output : node->outputs()) {
      if (!output.get_names().empty()) unconverted.output = *output.get_names().begin();
    }
    const auto& attributes = node->get_attrs();
    if (const auto reason = attributes.find(kFailedConversion); reason != attributes.end()) {
      unconverted.failed_operator = OperatorIn(reason->second);
      unconverted.message = OneLine(reason->second);
    }
    found.push_back(std::move(unconverted));
  }
  return found;
}

// Completes inferred shapes by what the model declares.
class Completion {
 public:
  explicit Completion(const DeclaredShapes& declared) : declared_(declared) {}

  // The shape with a symbol on every dynamic dimension.
  ov::PartialShape Complete(ov::PartialShape shape, const std::unordered_set<std::string>& names) {
    if (shape.rank().is_dynamic()) return shape;
    for (const std::string& name : names) {
      const auto found = declared_.find(name);
      if (found != declared_.end() && found->second.shape.size() == shape.size()) Merge(found->second, shape);
    }
    for (auto& dim : shape) {
      // One of its own, so that what is computed from it stays known to be equal.
      if (dim.is_dynamic() && !dim.has_symbol()) dim.set_symbol(std::make_shared<ov::Symbol>());
    }
    return shape;
  }

  SymbolsByNumber TakeSymbols() { return std::move(symbols_); }

 private:
  void Merge(const DeclaredShape& declared, ov::PartialShape& shape) {
    for (size_t i = 0; i < shape.size(); ++i) {
      if (shape[i].is_static()) continue;
      if (declared.shape[i] >= 0 && shape[i].compatible(declared.shape[i])) {
        shape[i] = declared.shape[i];
      } else if (declared.symbols[i] >= 0 && !shape[i].has_symbol()) {
        auto& symbol = symbols_[declared.symbols[i]];
        if (symbol == nullptr) symbol = std::make_shared<ov::Symbol>();
        shape[i].set_symbol(symbol);
      }
    }
  }

  const DeclaredShapes& declared_;
  SymbolsByNumber symbols_;
};

}  // namespace

Result<ConvertedModel> ConvertForInference(std::string onnx, const std::set<std::string>& domains) try {
  ov::frontend::FrontEndManager manager;
  const auto frontend = manager.load_by_framework("onnx");
  if (frontend == nullptr) return Fail(Code::kInternal, "OpenVINO has no ONNX frontend");
  for (const std::string& domain : domains) frontend->add_extension(DistCollectiveShape(domain));
  std::istringstream stream(std::move(onnx));
  std::istream* input = &stream;
  ConvertedModel converted;
  converted.model = frontend->convert_partially(frontend->load(input));
  converted.unconverted = FindUnconverted(*converted.model);
  return converted;
} catch (const std::exception& error) {
  return Fail(Code::kInvalidArgument, "OpenVINO cannot read the model: {}", OneLine(error.what()));
}

Result<SymbolsByNumber> InferSymbols(const DeclaredShapes& declared, ov::Model& model) try {
  Completion completion(declared);
  for (const auto& parameter : model.get_parameters()) {
    parameter->set_partial_shape(
        completion.Complete(parameter->get_partial_shape(), parameter->output(0).get_names()));
  }
  for (const auto& op : model.get_ordered_ops()) {
    op->revalidate_and_infer_types();
    if (ov::is_type<ov::op::v0::Result>(op)) continue;
    ImproveSymbols(*op);
    for (size_t i = 0; i < op->get_output_size(); ++i) {
      const ov::PartialShape& before = op->get_output_partial_shape(i);
      if (before.rank().is_dynamic()) continue;
      op->set_output_type(i, op->get_output_element_type(i),
                          completion.Complete(before, op->output(i).get_names()));
    }
  }
  return completion.TakeSymbols();
} catch (const std::exception& error) {
  return Fail(Code::kInvalidArgument, "the model is inconsistent: {}", OneLine(error.what()));
}

std::unordered_map<std::string, ov::Output<ov::Node>> OutputsByName(const ov::Model& model) {
  std::unordered_map<std::string, ov::Output<ov::Node>> outputs;
  for (const auto& op : model.get_ordered_ops()) {
    if (ov::is_type<ov::op::v0::Result>(op)) continue;
    for (const auto& output : op->outputs()) {
      for (const std::string& name : output.get_names()) outputs.emplace(name, output);
    }
  }
  return outputs;
}

}  // namespace tessera::graph
