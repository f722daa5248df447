#include "tests/nvinfer_standin/sdpa.h"

#include <cudnn.h>
#include <cudnn_frontend.h>

#include <utility>

namespace tessera::standin {
namespace {

namespace fe = cudnn_frontend;

enum Uid : int64_t { kQ = 1, kK, kV, kOut };

Result<void> Ok(const fe::error_t& status, const char* what) {
  if (status.is_good()) return {};
  return Fail(Code::kUnsupported, "cuDNN: {}: {}", what, status.err_msg);
}

std::shared_ptr<fe::graph::Tensor_attributes> Describe(fe::graph::Graph& graph, const Tensor& tensor,
                                                       Uid uid) {
  return graph.tensor(
      fe::graph::Tensor_attributes().set_uid(uid).set_dim(tensor.shape).set_stride(StridesOf(tensor)));
}

Result<std::shared_ptr<fe::graph::Graph>> MakeGraph(const Sdpa& sdpa, const Tensor& out,
                                                    cudnnHandle_t handle) {
  auto graph = std::make_shared<fe::graph::Graph>();
  graph->set_io_data_type(out.type == DType::kFloat16 ? fe::DataType_t::HALF : fe::DataType_t::BFLOAT16)
      .set_intermediate_data_type(fe::DataType_t::FLOAT)
      .set_compute_data_type(fe::DataType_t::FLOAT);
  auto how =
      fe::graph::SDPA_attributes().set_name("sdpa").set_generate_stats(false).set_attn_scale(sdpa.scale);
  if (sdpa.causal) how.set_causal_mask(true);
  const auto q = Describe(*graph, sdpa.q, kQ);
  const auto k = Describe(*graph, sdpa.k, kK);
  const auto v = Describe(*graph, sdpa.v, kV);
  const auto result = graph->sdpa(q, k, v, how)[0];
  result->set_output(true).set_uid(kOut).set_dim(out.shape).set_stride(StridesOf(out));
  TRY(Ok(graph->build(handle, {fe::HeurMode_t::A}), "attention"));
  return graph;
}

// Strides of [b,h,s,e] that lies as [b,s,h,e].
std::vector<int64_t> HeadsInside(const Shape& shape) {
  return {shape[1] * shape[2] * shape[3], shape[3], shape[1] * shape[3], 1};
}

}  // namespace

Result<std::shared_ptr<Cudnn>> Cudnn::Create() {
  cudnnHandle_t handle = nullptr;
  const cudnnStatus_t status = cudnnCreate(&handle);
  if (status != CUDNN_STATUS_SUCCESS)
    return Fail(Code::kUnavailable, "cudnnCreate: {}", cudnnGetErrorString(status));
  return std::shared_ptr<Cudnn>(new Cudnn(handle));
}

Cudnn::~Cudnn() {
  (void)cudnnDestroy(handle_);
}

Tensor Transposed(Tensor tensor) {
  const size_t dims = tensor.shape.size();
  if (dims < 2) return tensor;
  std::vector<int64_t> strides = StridesOf(tensor);
  std::swap(strides[dims - 2], strides[dims - 1]);
  std::swap(tensor.shape[dims - 2], tensor.shape[dims - 1]);
  tensor.strides = std::move(strides);
  return tensor;
}

bool CanFuse(const Tensor& q, const Tensor& k) {
  constexpr int64_t kMostDepth = 128;
  const bool half = q.type == DType::kFloat16 || q.type == DType::kBFloat16;
  if (!half || q.shape.size() != 4 || k.shape.size() != 4 || q.count() == 0 || k.count() == 0) return false;
  const int64_t depth = q.shape[3];
  const bool heads = k.shape[1] > 0 && q.shape[1] % k.shape[1] == 0 && q.shape[0] == k.shape[0];
  const bool rows = StridesOf(q).back() == 1 && StridesOf(k).back() == 1;
  return heads && rows && depth == k.shape[3] && depth % 8 == 0 && depth <= kMostDepth;
}

Result<void> EmitSdpa(Builder& builder, const Sdpa& sdpa) {
  const Shape shape = {sdpa.q.shape[0], sdpa.q.shape[1], sdpa.q.shape[2], sdpa.v.shape[3]};
  TRY_ASSIGN(Tensor out, builder.Scratch(sdpa.q.type, shape));
  out.strides = HeadsInside(shape);
  builder.SetOutput(0, out);
  if (builder.dry()) return {};
  const std::shared_ptr<Cudnn> cudnn = builder.device().cudnn;
  TRY_ASSIGN(const std::shared_ptr<fe::graph::Graph> graph, MakeGraph(sdpa, out, cudnn->get()));
  int64_t bytes = 0;
  TRY(Ok(graph->get_workspace_size(bytes), "workspace"));
  TRY_ASSIGN(const Tensor workspace, builder.Scratch(DType::kUInt8, {bytes}));
  TRY_ASSIGN(const void* q, builder.OnDevice(sdpa.q));
  TRY_ASSIGN(const void* k, builder.OnDevice(sdpa.k));
  TRY_ASSIGN(const void* v, builder.OnDevice(sdpa.v));
  std::unordered_map<int64_t, void*> tensors = {{kQ, const_cast<void*>(q)},
                                                {kK, const_cast<void*>(k)},
                                                {kV, const_cast<void*>(v)},
                                                {kOut, out.data.get()}};
  builder.Add([=, space = workspace.data.get()](cudaStream_t stream, std::string& why) mutable {
    (void)cudnnSetStream(cudnn->get(), stream);
    const fe::error_t status = graph->execute(cudnn->get(), tensors, space);
    if (status.is_bad()) why = status.err_msg;
    return status.is_good();
  });
  return {};
}

}  // namespace tessera::standin
