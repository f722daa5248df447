#include "tessera/graph/openvino/dist_collective.h"

#include <openvino/frontend/onnx/extension/conversion.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/identity.hpp>
#include <openvino/op/split.hpp>

#include "tessera/base/collective.h"

namespace tessera::graph {
namespace {

ov::OutputVector Convert(const ov::frontend::NodeContext& node) {
  const ov::Output<ov::Node> input = node.get_input(0);
  const auto name = node.get_attribute<std::string>("collective_operation", "");
  const auto ranks = node.get_attribute<int64_t>("nb_rank", 1);
  const auto op = CollectiveOpFromName(name);
  FRONT_END_GENERAL_CHECK(op.has_value(), "collective_operation '", name, "'");
  FRONT_END_GENERAL_CHECK(ranks >= 1, "nb_rank ", ranks, ", wanted at least 1");
  switch (*op) {
    case CollectiveOp::kAllGather:
    case CollectiveOp::kGather:
      return {std::make_shared<ov::op::v0::Concat>(ov::OutputVector(static_cast<size_t>(ranks), input), 0)};
    case CollectiveOp::kReduceScatter:
    case CollectiveOp::kScatter: {
      const auto axis = ov::op::v0::Constant::create(ov::element::i64, {}, {0});
      return {std::make_shared<ov::op::v1::Split>(input, axis, static_cast<size_t>(ranks))->output(0)};
    }
    default:
      return {std::make_shared<ov::op::v16::Identity>(input)};
  }
}

}  // namespace

std::shared_ptr<ov::Extension> DistCollectiveShape(const std::string& domain) {
  return std::make_shared<ov::frontend::onnx::ConversionExtension>("DistCollective", domain, Convert);
}

}  // namespace tessera::graph
