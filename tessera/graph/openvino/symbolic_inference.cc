#include "tessera/graph/openvino/symbolic_inference.h"

#include <openvino/frontend/manager.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/result.hpp>
#include <openvino/op/util/framework_node.hpp>
#include <sstream>

#include "tessera/graph/openvino/dist_collective.h"

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
      unconverted.inconsistent = reason->second.find("shape_inference") != std::string::npos;
      unconverted.message = OneLine(reason->second);
    }
    found.push_back(std::move(unconverted));
  }
  return found;
}

// Puts a symbol of its own on every dynamic dimension that has none, so that what is computed from it stays
// known to be equal.
ov::PartialShape WithSymbols(ov::PartialShape shape) {
  if (shape.rank().is_dynamic()) return shape;
  for (auto& dim : shape) {
    if (dim.is_dynamic() && !dim.has_symbol()) dim.set_symbol(std::make_shared<ov::Symbol>());
  }
  return shape;
}

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

Result<void> InferSymbols(const std::unordered_map<std::string, std::vector<int32_t>>& symbols,
                          ov::Model& model) try {
  std::unordered_map<int32_t, std::shared_ptr<ov::Symbol>> shared;
  for (const auto& parameter : model.get_parameters()) {
    ov::PartialShape shape = parameter->get_partial_shape();
    const auto known = symbols.find(parameter->get_friendly_name());
    if (shape.rank().is_dynamic() || known == symbols.end() || known->second.size() != shape.size()) continue;
    for (size_t i = 0; i < shape.size(); ++i) {
      if (shape[i].is_static() || known->second[i] < 0) continue;
      auto& symbol = shared[known->second[i]];
      if (symbol == nullptr) symbol = std::make_shared<ov::Symbol>();
      shape[i].set_symbol(symbol);
    }
    parameter->set_partial_shape(shape);
  }
  for (const auto& op : model.get_ordered_ops()) {
    op->revalidate_and_infer_types();
    if (ov::is_type<ov::op::v0::Result>(op)) continue;
    for (size_t i = 0; i < op->get_output_size(); ++i) {
      op->set_output_type(i, op->get_output_element_type(i), WithSymbols(op->get_output_partial_shape(i)));
    }
  }
  return {};
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
