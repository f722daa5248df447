#include "tests/nvinfer_standin/model.h"

#include <algorithm>

#include "tessera/cuda/status.h"
#include "tessera/engine/tensorrt/laps.h"
#include "tessera/graph/onnx.h"

namespace tessera::standin {
namespace {

size_t Aligned(size_t bytes) {
  return (bytes + 255) / 256 * 256;
}

// A graph without profiles takes 1 to 4096 at every free dimension.
Profile DefaultProfile(const std::vector<Model::Io>& io) {
  Profile profile;
  for (const Model::Io& tensor : io) {
    if (!tensor.is_input || IsStatic(tensor.shape)) continue;
    auto filled = [&](int64_t size) {
      Shape shape = tensor.shape;
      for (int64_t& dim : shape) dim = dim == kDynamic ? size : dim;
      return shape;
    };
    profile[tensor.name] = {filled(1), filled(8), filled(4096)};
  }
  return profile;
}

bool HasAttention(const graph::Graph& graph) {
  const auto& nodes = graph.nodes();
  return !FindAttentions(graph).empty() || std::any_of(nodes.begin(), nodes.end(), [](const auto& node) {
    return node.op_type == "Attention";
  });
}

}  // namespace

Result<std::shared_ptr<const Model>> Model::Load(PlanSource& plan, std::string& took) {
  engine::Laps laps;
  TRY_ASSIGN(const std::string text, plan.Text());
  TRY_ASSIGN(std::shared_ptr<Model> model, Read(text));
  laps.Add("graph");
  TRY(model->OpenDevice());
  if (HasAttention(model->graph_)) {
    TRY_ASSIGN(model->device_.cudnn, Cudnn::Create());
  }
  laps.Add("libraries");
  TRY(model->MakeRoom());
  laps.Add("memory");
  TRY(model->CopyWeights(plan));
  laps.Add("weights");
  took = laps.text();
  return std::shared_ptr<const Model>(std::move(model));
}

Result<std::shared_ptr<const Model>> Model::Describe(std::string_view plan) {
  TRY_ASSIGN(std::shared_ptr<Model> model, Read(plan));
  return std::shared_ptr<const Model>(std::move(model));
}

Result<std::shared_ptr<Model>> Model::Read(std::string_view plan) {
  std::shared_ptr<Model> model(new Model);
  TRY_ASSIGN(model->plan_, ParsePlan(plan));
  TRY_ASSIGN(model->graph_, graph::ReadOnnx(model->plan_.onnx));
  model->ListIo();
  if (model->plan_.profiles.empty()) {
    model->plan_.profiles.push_back(DefaultProfile(model->io_));
    model->plan_.values.emplace_back();
  }
  for (const graph::Node& node : model->graph_.nodes()) {
    if (node.op_type == "DistCollective") model->collectives_.push_back(node.name);
  }
  return model;
}

Model::~Model() {
  if (device_.blas != nullptr) (void)cublasLtDestroy(device_.blas);
}

Result<void> Model::OpenDevice() {
  int current = 0;
  CUDA_TRY(cudaGetDevice(&current));
  device_.id = DeviceId(current);
  if (cublasLtCreate(&device_.blas) != CUBLAS_STATUS_SUCCESS)
    return Fail(Code::kUnavailable, "cublasLtCreate failed");
  TRY_ASSIGN(cuda::DeviceBuffer workspace, cuda::DeviceBuffer::Create(device_.id, Device::kWorkspaceBytes));
  auto owner = std::make_shared<cuda::DeviceBuffer>(std::move(workspace));
  device_.workspace = std::shared_ptr<void>(owner, owner->data());
  return {};
}

Result<void> Model::MakeRoom() {
  size_t total = 0;
  for (const graph::Value& value : graph_.values()) {
    if (value.constant) total += Aligned(value.constant->bytes.size());
  }
  TRY_ASSIGN(weights_, cuda::DeviceBuffer::Create(device_.id, total));
  return {};
}

// Those that stand in the plan from there, others from the ONNX file.
Result<void> Model::CopyWeights(PlanSource& plan) {
  MutableBytes left = weights_.bytes();
  for (size_t i = 0; i < graph_.values().size(); ++i) {
    const graph::Value& value = graph_.values()[i];
    if (!value.constant || value.constant->bytes.empty()) continue;
    const Bytes bytes = value.constant->bytes;
    const MutableBytes at = left.first(bytes.size());
    if (const auto inside = plan_.weights.find(value.name); inside != plan_.weights.end()) {
      if (inside->second.bytes != bytes.size()) {
        return Fail(Code::kInvalidArgument, "the plan has {} bytes of '{}', wanted {}", inside->second.bytes,
                    value.name, bytes.size());
      }
      TRY(plan.Copy(inside->second.offset, at));
    } else {
      CUDA_TRY(cudaMemcpy(at.data(), bytes.data(), bytes.size(), cudaMemcpyHostToDevice));
    }
    device_.weights[static_cast<int32_t>(i)] = std::shared_ptr<void>(at.data(), [](void*) {});
    left = left.subspan(Aligned(bytes.size()));
  }
  CUDA_TRY(cudaStreamSynchronize(cudaStreamLegacy));  // a small copy may still be on its way
  return plan.Finish();
}

void Model::ListIo() {
  for (graph::ValueId id : graph_.inputs()) {
    const graph::Value& value = graph_.value(id);
    const bool on_host = !plan_.values.empty() && plan_.values.front().count(value.name) != 0;
    io_.push_back({value.name, value.type, value.shape, true, on_host});
  }
  for (graph::ValueId id : graph_.outputs()) {
    const graph::Value& value = graph_.value(id);
    io_.push_back({value.name, value.type, value.shape, false, false});
  }
  for (Io& tensor : io_) {
    const auto found = plan_.declared.find(tensor.name);
    if (found == plan_.declared.end()) continue;
    tensor.declared = found->second;
    tensor.on_host |= found->second == "host";
  }
}

size_t Model::ContextBytes(int profile) const {
  constexpr size_t kMore = size_t{16} << 20;
  return plan_.profiles.size() > 1 ? kMore * static_cast<size_t>(profile + 1) : 0;
}

const Model::Io* Model::Find(const char* name) const {
  for (const Io& tensor : io_) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

}  // namespace tessera::standin
