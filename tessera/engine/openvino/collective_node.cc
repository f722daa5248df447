#include "tessera/engine/openvino/collective_node.h"

#include <cstring>

#include "tessera/engine/openvino/types.h"

namespace tessera::engine::openvino {
namespace {

bool Gathers(CollectiveOp op) {
  return op == CollectiveOp::kAllGather || op == CollectiveOp::kGather;
}

bool Scatters(CollectiveOp op) {
  return op == CollectiveOp::kReduceScatter || op == CollectiveOp::kScatter;
}

// The first dimension after the collective; the type must divide it where a rank takes its part.
Result<ov::Dimension> ResultRows(CollectiveOp op, const ov::Dimension& rows, int64_t ranks) {
  if (Gathers(op))
    return rows.is_static() ? ov::Dimension(rows.get_length() * ranks) : ov::Dimension::dynamic();
  const bool divides = Scatters(op) || op == CollectiveOp::kAllToAll;
  if (divides && ranks > 0 && rows.is_static() && rows.get_length() % ranks != 0) {
    return Fail(Code::kInvalidArgument, "{}: first dimension {} does not divide by {} ranks", Name(op),
                rows.get_length(), ranks);
  }
  if (Scatters(op) && ranks > 0)
    return rows.is_static() ? ov::Dimension(rows.get_length() / ranks) : ov::Dimension::dynamic();
  return rows;
}

Result<ov::PartialShape> ResultShape(CollectiveOp op, const ov::PartialShape& shape, int64_t ranks) {
  if (shape.rank().is_dynamic()) return shape;
  if (shape.rank().get_length() == 0) {
    if (Gathers(op) || Scatters(op)) return Fail(Code::kInvalidArgument, "{} of a scalar", Name(op));
    return shape;
  }
  ov::PartialShape result = shape;
  TRY_ASSIGN(const ov::Dimension rows, ResultRows(op, shape[0], ranks));
  if (rows != shape[0]) result[0] = rows;  // else the dimension keeps its symbol
  return result;
}

// OpenVINO computes with fewer types than a model declares (f16 as f32, i64 as i32, bool as u8).
Result<DType> TypeOf(const ov::Tensor& tensor, DType declared) {
  if (declared == DType::kBool && tensor.get_element_type() == ov::element::u8) return DType::kBool;
  const std::optional<DType> type = FromOv(tensor.get_element_type());
  if (type) return *type;
  return Fail(Code::kUnsupported, "a collective of {}", tensor.get_element_type().get_type_name());
}

Bytes BytesOf(const ov::Tensor& tensor) {
  return {static_cast<const std::byte*>(std::as_const(tensor).data()), tensor.get_byte_size()};
}

MutableBytes BytesOf(ov::Tensor& tensor) {
  return {static_cast<std::byte*>(tensor.data()), tensor.get_byte_size()};
}

}  // namespace

CollectiveNode::CollectiveNode(const ov::Output<ov::Node>& data, CollectiveAttributes attributes)
    : Op({data}), attributes_(std::move(attributes)) {
  constructor_validate_and_infer_types();
}

void CollectiveNode::Link(const comm::Collective& what, std::shared_ptr<CollectiveSite> site,
                          const ov::Output<ov::Node>& token) {
  what_ = what;
  site_ = std::move(site);
  set_argument(1, token);
  validate_and_infer_types();
}

void CollectiveNode::validate_and_infer_types() {
  // From the file's attributes, which are checked later: the nodes read after this one already need its
  // shape.
  ov::PartialShape shape = ov::PartialShape::dynamic();
  if (const std::optional<CollectiveOp> op = CollectiveOpFromName(attributes_.operation)) {
    Result<ov::PartialShape> result = ResultShape(*op, get_input_partial_shape(0), attributes_.rank_count);
    if (!result) OPENVINO_THROW("collective '", attributes_.name, "': ", result.error().message);
    shape = *std::move(result);
  }
  set_output_size(2);
  set_output_type(0, get_input_element_type(0), shape);
  set_output_type(1, ov::element::i32, ov::PartialShape{1});
}

std::shared_ptr<ov::Node> CollectiveNode::clone_with_new_inputs(const ov::OutputVector& inputs) const {
  auto clone = std::make_shared<CollectiveNode>();
  clone->attributes_ = attributes_;
  clone->what_ = what_;
  clone->site_ = site_;
  clone->set_arguments(inputs);
  clone->validate_and_infer_types();
  return clone;
}

bool CollectiveNode::visit_attributes(ov::AttributeVisitor& visitor) {
  visitor.on_attribute("name", attributes_.name);  // unique in the model: no two nodes are the same
  return true;
}

bool CollectiveNode::evaluate(ov::TensorVector& outputs, const ov::TensorVector& inputs) const {
  Result<void> ran = Run(outputs, inputs);
  if (ran) return true;
  site_->error = std::move(ran).error();
  OPENVINO_THROW("collective '", attributes_.name, "': ", site_->error->message);
}

Result<void> CollectiveNode::Run(ov::TensorVector& outputs, const ov::TensorVector& inputs) const {
  const ov::PartialShape sent(inputs[0].get_shape());
  TRY_ASSIGN(const ov::PartialShape shape, ResultShape(what_.op, sent, site_->end.world_size()));
  outputs[0].set_shape(shape.to_shape());
  outputs[1].set_shape({1});
  *static_cast<int32_t*>(outputs[1].data()) = 0;

  comm::Collective what = what_;
  TRY_ASSIGN(what.type, TypeOf(inputs[0], what_.type));
  const MutableBytes received = BytesOf(outputs[0]);
  const bool for_root = what.op == CollectiveOp::kReduce || what.op == CollectiveOp::kGather;
  if (for_root && what.root != site_->end.rank()) {
    std::memset(received.data(), 0, received.size());  // nothing comes here: not whatever lay there
  }
  return site_->end.Run(what, BytesOf(inputs[0]), received, site_->deadline);
}

}  // namespace tessera::engine::openvino
