#include "tessera/cli/model_config.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tessera::cli {
namespace {

using plan::Layout;
using plan::Plan;
using plan::TensorPlan;

// A string of protobuf's text format.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

bool IsSequenceName(std::string name) {
  constexpr std::array<std::string_view, 4> kWords{"seq", "len", "time", "token"};
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name.find("batch") == std::string::npos && std::any_of(kWords.begin(), kWords.end(), [&](auto word) {
           return name.find(word) != std::string::npos;
         });
}

bool CanBatch(const TensorPlan& tensor) {
  const Shape& shape = tensor.spec.shape;
  const bool cut = tensor.layout.kind == Layout::Kind::kSplit && tensor.layout.axis == 0;
  return shape.size() >= 2 && shape[0] == kDynamic && !cut &&
         (tensor.dim_names.empty() || !IsSequenceName(tensor.dim_names[0]));
}

Result<std::string> TritonType(const TensorSpec& spec) {
  switch (spec.type) {
    case DType::kFloat16:
    case DType::kBFloat16:
    case DType::kFloat32:
    case DType::kFloat64:
    case DType::kInt8:
    case DType::kInt16:
    case DType::kInt32:
    case DType::kInt64:
    case DType::kUInt8:
    case DType::kUInt16:
    case DType::kUInt32:
    case DType::kUInt64:
    case DType::kBool:
      return fmt::format("TYPE_{}", DTypeName(spec.type));
    case DType::kString:
      return "TYPE_STRING";
    default:
      return Fail(Code::kUnsupported, "'{}' has element type {}, which Triton does not serve", spec.name,
                  DTypeName(spec.type));
  }
}

// "    dims: [ -1, 384 ]  # sequence_length, 384"
std::string Dims(const TensorPlan& tensor, bool batched) {
  const Shape& shape = tensor.spec.shape;
  if (shape.empty()) return "    dims: [ 1 ]\n    reshape: { shape: [ ] }  # a scalar\n";
  std::vector<int64_t> sizes;
  std::vector<std::string> names;
  bool any_name = false;
  for (size_t i = batched ? 1 : 0; i < shape.size(); ++i) {
    const std::string name = i < tensor.dim_names.size() ? tensor.dim_names[i] : "";
    any_name = any_name || !name.empty();
    sizes.push_back(shape[i]);
    names.push_back(name.empty() ? fmt::format("{}", shape[i]) : name);
  }
  const std::string comment = any_name ? fmt::format("  # {}", fmt::join(names, ", ")) : "";
  return fmt::format("    dims: [ {} ]{}\n", fmt::join(sizes, ", "), comment);
}

Result<std::string> Tensors(std::string_view field, const std::vector<TensorPlan>& tensors, bool batched) {
  std::vector<std::string> blocks;
  for (const TensorPlan& tensor : tensors) {
    TRY_ASSIGN(const std::string type, TritonType(tensor.spec));
    blocks.push_back(fmt::format("  {{\n    name: {}\n    data_type: {}\n{}  }}", Quoted(tensor.spec.name),
                                 type, Dims(tensor, batched)));
  }
  return fmt::format("{} [\n{}\n]\n", field, fmt::join(blocks, ",\n"));
}

std::string Batching(int max_batch) {
  if (max_batch == 0) {
    return "# Every request is a step of its own: its shape is given whole below.\n"
           "max_batch_size: 0\n";
  }
  return fmt::format(
      "# A request has up to {0} rows (its first dimension, left out below); waiting requests of equal shape "
      "run as\n"
      "# one step. Remove dynamic_batching if the rows of a batch may influence each other.\n"
      "max_batch_size: {0}\n"
      "dynamic_batching {{ }}\n",
      max_batch);
}

}  // namespace

bool CanBatch(const Plan& plan) {
  const auto can = [](const TensorPlan& tensor) { return CanBatch(tensor); };
  return !plan.inputs.empty() && std::all_of(plan.inputs.begin(), plan.inputs.end(), can) &&
         std::all_of(plan.outputs.begin(), plan.outputs.end(), can);
}

Result<std::string> ModelConfig(const Plan& plan, const std::string& name, int max_batch) {
  const int rows = CanBatch(plan) ? max_batch : 0;
  TRY_ASSIGN(const std::string inputs, Tensors("input", plan.inputs, rows > 0));
  TRY_ASSIGN(const std::string outputs, Tensors("output", plan.outputs, rows > 0));
  std::string text = fmt::format(
      "# Written by `tessera shard`: {} over {} rank{}. Yours to edit; the ranks are in "
      "1/plan.json.\n",
      plan.strategy, plan.world_size(), plan.world_size() == 1 ? "" : "s");
  text += fmt::format("name: {}\nbackend: \"tensorrt\"\n\n", Quoted(name));
  text += Batching(rows) + "\n" + inputs + "\n" + outputs + "\n";
  text +=
      "# One instance holds all the ranks of the model.\n"
      "instance_group [ { kind: KIND_MODEL count: 1 } ]\n";
  return text;
}

}  // namespace tessera::cli
