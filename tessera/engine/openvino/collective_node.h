// The DistCollective node as an OpenVINO operator. Private to the adapter.
//
//   (data [, token])  ->  (result, token)
// The token is one i32 that each collective hands to the next. It carries no value; its edge puts the
// collectives of a rank in one order, the same on every rank, and it comes from a run-time parameter: so
// OpenVINO cannot run one at compile time because its data is constant, nor merge two that look alike.
#pragma once

#include <memory>
#include <openvino/op/op.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tessera/base/collective.h"
#include "tessera/base/deadline.h"
#include "tessera/base/result.h"
#include "tessera/comm/communicator.h"

namespace tessera::engine::openvino {

// A node's attributes as they stand in the file; checked by LinkCollectives.
struct CollectiveAttributes {
  std::string name;  // the node's
  std::string operation;
  std::string reduce_op;
  int64_t root = -1;
  int64_t rank_count = 0;
  std::vector<int64_t> groups;
  int64_t group_size = 0;
};

// What the collectives of one rank share: its end of the group, the step's deadline, and the error to be
// found again behind OpenVINO's exception. Touched by the rank's thread only.
struct CollectiveSite {
  explicit CollectiveSite(comm::Communicator& the_end) : end(the_end) {}
  comm::Communicator& end;
  Deadline deadline = Deadline::Never();
  std::optional<Error> error;
};

class CollectiveNode final : public ov::op::Op {
 public:
  OPENVINO_OP("DistCollective", "tessera")

  CollectiveNode() = default;
  CollectiveNode(const ov::Output<ov::Node>& data, CollectiveAttributes attributes);

  const CollectiveAttributes& attributes() const { return attributes_; }

  // Makes the node able to run: `what` it does with data declared as what.type, where, and after which token.
  void Link(const comm::Collective& what, std::shared_ptr<CollectiveSite> site,
            const ov::Output<ov::Node>& token);

  void validate_and_infer_types() override;
  std::shared_ptr<ov::Node> clone_with_new_inputs(const ov::OutputVector& inputs) const override;
  bool visit_attributes(ov::AttributeVisitor& visitor) override;
  bool has_evaluate() const override { return site_ != nullptr; }
  bool evaluate(ov::TensorVector& outputs, const ov::TensorVector& inputs) const override;
  bool can_constant_fold(const ov::OutputVector& /*inputs*/) const override { return false; }

 private:
  Result<void> Run(ov::TensorVector& outputs, const ov::TensorVector& inputs) const;

  CollectiveAttributes attributes_;
  comm::Collective what_;
  std::shared_ptr<CollectiveSite> site_;
};

}  // namespace tessera::engine::openvino
