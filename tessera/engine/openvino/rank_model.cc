#include "tessera/engine/openvino/rank_model.h"

#include <algorithm>
#include <openvino/op/parameter.hpp>
#include <openvino/op/range.hpp>
#include <openvino/op/util/multi_subgraph_base.hpp>
#include <openvino/op/util/shape_of_base.hpp>
#include <openvino/runtime/properties.hpp>
#include <set>
#include <string>

#include "tessera/base/file.h"
#include "tessera/engine/openvino/guard.h"
#include "tessera/engine/openvino/onnx_domains.h"
#include "tessera/engine/openvino/types.h"

namespace tessera::engine::openvino {
namespace {

// What the plan calls a tensor that OpenVINO knows under several names, else the name of the ONNX model.
std::string NameOf(const ov::Output<ov::Node>& port, const std::vector<plan::TensorPlan>& planned) {
  for (const plan::TensorPlan& tensor : planned) {
    if (port.get_names().count(tensor.spec.name) > 0) return tensor.spec.name;
  }
  return port.get_names().empty() ? port.get_node()->get_friendly_name() : port.get_any_name();
}

Result<std::vector<TensorSpec>> SpecsOf(const ov::OutputVector& ports,
                                        const std::vector<plan::TensorPlan>& planned) {
  std::vector<TensorSpec> specs;
  for (const ov::Output<ov::Node>& port : ports) {
    TensorSpec spec;
    spec.name = NameOf(port, planned);
    if (spec.name == kTokenInput) continue;
    const std::optional<DType> type = FromOv(port.get_element_type());
    if (!type) {
      return Fail(Code::kUnsupported, "'{}' is of type {}", spec.name,
                  port.get_element_type().get_type_name());
    }
    const std::optional<Shape> shape = FromOv(port.get_partial_shape());
    if (!shape) return Fail(Code::kUnsupported, "'{}' has no known number of dimensions", spec.name);
    spec.type = *type;
    spec.shape = *shape;
    specs.push_back(std::move(spec));
  }
  return specs;
}

bool IsInteger64(DType type) {
  return type == DType::kInt64 || type == DType::kUInt64;
}

// Whether `value` depends on what an input holds, not on its shape alone.
bool DependsOnInput(const ov::Output<ov::Node>& value, std::set<const ov::Node*>& seen) {
  const ov::Node* node = value.get_node();
  if (!seen.insert(node).second || ov::is_type<const ov::op::util::ShapeOfBase>(node)) return false;
  if (ov::is_type<const ov::op::v0::Parameter>(node)) return true;
  const ov::OutputVector inputs = node->input_values();
  return std::any_of(inputs.begin(), inputs.end(),
                     [&](const ov::Output<ov::Node>& input) { return DependsOnInput(input, seen); });
}

// The process ends in OpenVINO where a Range has the step 0.
bool TakesZeros(const ov::Model& model) {
  constexpr size_t kStep = 2;
  for (const std::shared_ptr<ov::Node>& node : model.get_ops()) {
    std::set<const ov::Node*> seen;
    const bool range = ov::is_type<ov::op::v4::Range>(node) || ov::is_type<ov::op::v0::Range>(node);
    if (range && DependsOnInput(node->input_value(kStep), seen)) return false;
    const auto* body = ov::as_type<const ov::op::util::MultiSubGraphOp>(node.get());
    if (body == nullptr) continue;
    for (const std::shared_ptr<ov::Model>& inner : body->get_functions()) {
      if (!TakesZeros(*inner)) return false;
    }
  }
  return true;
}

// The configuration of every compiled model of the process is alike but for the number of threads: OpenVINO
// recycles idle thread pools between models.
ov::AnyMap Properties(int threads) {
  // What the model says: some CPUs would choose bf16, and activations that meet int8 weights would be rounded
  // to 8 bits (a MiniLM with int8 weights is 14% off then, 1e-5 without).
  ov::AnyMap properties{ov::hint::inference_precision(ov::element::f32),
                        ov::hint::dynamic_quantization_group_size(0)};
  if (threads == 1) {
    properties.insert(ov::num_streams(0));  // the calling thread alone, no pool
    return properties;
  }
  properties.insert(ov::num_streams(1));
  properties.insert(ov::inference_num_threads(threads));
  properties.insert(ov::hint::enable_cpu_pinning(false));  // pinned ranks would share one core
  return properties;
}

Result<RankModel> Load(const plan::Plan& plan, const std::filesystem::path& file, comm::Communicator& end,
                       int threads) {
  TRY_ASSIGN(const auto mapped, MappedFile::Open(file));
  TRY_ASSIGN(const std::set<std::string> domains, OnnxDomains(mapped->bytes()));
  ov::Core core;
  for (const std::string& domain : domains) core.add_extension(CollectiveExtension(domain));
  const std::shared_ptr<ov::Model> model = core.read_model(file.string());

  RankModel rank;
  rank.site = std::make_shared<CollectiveSite>(end);
  TRY_ASSIGN(rank.has_token, LinkCollectives(*model, plan.collectives, rank.site));
  TRY_ASSIGN(rank.inputs, SpecsOf(model->inputs(), plan.inputs));
  TRY_ASSIGN(rank.outputs, SpecsOf(model->outputs(), plan.outputs));
  for (TensorSpec& input : rank.inputs) input.in_32_bits = IsInteger64(input.type);  // the CPU plugin's way
  rank.takes_zeros = TakesZeros(*model);
  rank.compiled = core.compile_model(model, "CPU", Properties(threads));
  return rank;
}

}  // namespace

Result<RankModel> LoadRankModel(const plan::Plan& plan, const std::filesystem::path& directory,
                                comm::Communicator& end, int threads) {
  const auto file = directory / plan.ranks[static_cast<size_t>(end.rank().value())].model.file;
  Result<RankModel> rank =
      Guard(Code::kInvalidArgument, "reading", [&] { return Load(plan, file, end, threads); });
  if (rank) return rank;
  Error error = std::move(rank).error();
  if (error.message.find(file.string()) == std::string::npos) {
    error.message = fmt::format("'{}': {}", file.string(), error.message);
  }
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace tessera::engine::openvino
