// DistCollective: the node that TensorRT's parser turns into a layer that calls NCCL.
#include "tessera/base/collective.h"

#include "tessera/comm/nccl/issue.h"
#include "tests/nvinfer_standin/ops.h"

namespace tessera::standin {
namespace {

Result<comm::Collective> CollectiveOf(const graph::Node& node, DType type) {
  comm::Collective what;
  const std::string op = node.String("collective_operation", "");
  const std::string reduce = node.String("reduce_op", "");
  const auto found_op = CollectiveOpFromName(op);
  const auto found_reduce = ReduceOpFromName(reduce);
  if (!found_op || !found_reduce)
    return Fail(Code::kInvalidArgument, "collective '{}' with '{}'", op, reduce);
  what.op = *found_op;
  what.reduce = *found_reduce;
  what.root = Rank(static_cast<int>(std::max<int64_t>(0, node.Int("root", -1))));
  what.type = type;
  return what;
}

Shape ResultShape(CollectiveOp op, Shape shape, int64_t ranks) {
  if (shape.empty()) return shape;
  if (op == CollectiveOp::kAllGather || op == CollectiveOp::kGather) shape[0] *= ranks;
  if (op == CollectiveOp::kReduceScatter || op == CollectiveOp::kScatter) shape[0] /= ranks;
  return shape;
}

bool Issue(const comm::Collective& what, ncclComm_t comm, Bytes send, MutableBytes recv, cudaStream_t stream,
           std::string& why) {
  int rank = 0;
  int world = 0;
  if (ncclCommUserRank(comm, &rank) != ncclSuccess || ncclCommCount(comm, &world) != ncclSuccess) {
    why = "the communicator is not usable";
    return false;
  }
  auto issued = comm::IssueCollective(what, Rank(rank), world, send, recv, comm, stream);
  if (!issued) why = issued.error().message;
  return issued.has_value();
}

Result<void> HandleCollective(Builder& builder) {
  const Tensor in = builder.Input(0);
  TRY_ASSIGN(const comm::Collective what, CollectiveOf(builder.node(), in.type));
  const int64_t ranks = builder.node().Int("nb_rank", 1);
  TRY_ASSIGN(const Tensor out, builder.NewOutput(0, in.type, ResultShape(what.op, in.shape, ranks)));
  TRY_ASSIGN(const void* from, builder.OnDevice(in));
  const Bytes send(static_cast<const std::byte*>(from), in.bytes());
  const MutableBytes recv(static_cast<std::byte*>(out.data.get()), out.bytes());
  CommunicatorSlot& slot = builder.communicator();
  builder.AddCollective([=, &slot](cudaStream_t stream, std::string& why) {
    ncclComm_t comm = slot.comm.load();
    if (comm == nullptr) {
      why = "a collective without a communicator";
      return false;
    }
    return Issue(what, comm, send, recv, stream, why);
  });
  return {};
}

}  // namespace

void AddCollective(Handlers& handlers) {
  handlers["DistCollective"] = HandleCollective;
}

}  // namespace tessera::standin
