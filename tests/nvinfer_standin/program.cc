#include "tests/nvinfer_standin/program.h"

#include <algorithm>

#include "tests/nvinfer_standin/moves.h"
#include "tests/nvinfer_standin/sdpa.h"

namespace tessera::standin {

Builder::Builder(const graph::Graph& graph, const Device& device, CommunicatorSlot& communicator,
                 const Io& io)
    : graph_(graph),
      device_(device),
      communicator_(communicator),
      io_(io),
      attentions_(FindAttentions(graph)),
      consumers_(graph.Consumers()) {
  program_->pool = std::make_shared<Pool>(device.id);
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    for (graph::ValueId input : graph.nodes()[n].inputs) last_use_[input.value()] = n;
  }
  for (const Attention& attention : attentions_) {  // its inputs are read by its last node
    for (graph::ValueId input : {attention.q, attention.k_transposed})
      last_use_[input.value()] = std::max(last_use_[input.value()], attention.nodes.back());
  }
  for (graph::ValueId output : graph.outputs()) last_use_[output.value()] = graph.nodes().size();
}

Result<std::shared_ptr<Program>> Builder::Build(const graph::Graph& graph, const Device& device,
                                                CommunicatorSlot& communicator, const Io& io) {
  Builder builder(graph, device, communicator, io);
  TRY(builder.AddInputs());
  TRY(builder.AddConstants());
  TRY(builder.AddNodes());
  TRY(builder.CopyOutputs());
  return builder.program_;
}

Result<void> Builder::AddInputs() {
  for (graph::ValueId id : graph_.inputs()) {
    const graph::Value& value = graph_.value(id);
    Tensor tensor;
    tensor.type = value.type;
    tensor.shape = io_.input_shapes.at(value.name);
    const auto known = io_.values.find(value.name);
    if (known != io_.values.end()) {
      tensor.host = known->second;
    } else if (!dry()) {
      tensor.data = Foreign(io_.addresses.at(value.name));
    }
    values_[id.value()] = std::move(tensor);
  }
  return {};
}

Result<void> Builder::AddConstants() {
  for (size_t i = 0; i < graph_.values().size(); ++i) {
    const graph::Value& value = graph_.values()[i];
    if (!value.constant) continue;
    Tensor tensor;
    tensor.type = value.constant->type;
    tensor.shape = value.constant->shape;
    constexpr int64_t kMostHostValues = 1 << 16;
    if (tensor.count() <= kMostHostValues) tensor.host = graph::AsInt64(*value.constant);
    if (auto found = device_.weights.find(static_cast<int32_t>(i)); found != device_.weights.end()) {
      tensor.data = found->second;
    }
    values_[static_cast<int32_t>(i)] = std::move(tensor);
  }
  return {};
}

Result<void> Builder::AddNodes() {
  for (size_t n = 0; n < graph_.nodes().size(); ++n) {
    node_ = &graph_.nodes()[n];
    taken_ = nullptr;
    PlanFusion(n);
    const auto fused = fused_.find(n);
    Result<void> added = fused == fused_.end() ? AddNode() : AddFused(n, *fused->second);
    if (!added) {
      return Fail(added.error().code, "node '{}' ({}): {}", node_->name, node_->op_type,
                  added.error().message);
    }
    DropDead(n);
  }
  return {};
}

Result<void> Builder::AddNode() {
  if (left_out_.count(node_) != 0) return {};
  Handler handler = FindHandler(node_->op_type);
  if (handler == nullptr) return Fail(Code::kUnsupported, "the stand-in has no {}", node_->op_type);
  if (!ReadsStrides(node_->op_type)) TRY(MakeInputsDense());
  return handler(*this);
}

Result<void> Builder::MakeInputsDense() {
  for (graph::ValueId id : node_->inputs) {
    if (id == graph::kNoValue || ValueOf(id).dense()) continue;
    const Tensor strided = ValueOf(id);
    TRY_ASSIGN(Tensor dense, Scratch(strided.type, strided.shape));
    TRY(EmitMove(*this, strided, dense, Move{dense.shape, strided.strides, StridesOf(dense.shape)}));
    values_[id.value()] = std::move(dense);
  }
  return {};
}

// At an attention's first node: whether all its nodes run as one.
void Builder::PlanFusion(size_t node_index) {
  for (const Attention& attention : attentions_) {
    if (attention.nodes.front() != node_index) continue;
    if (!CanFuse(ValueOf(attention.q), Transposed(ValueOf(attention.k_transposed)))) return;
    for (const size_t part : attention.nodes) fused_[part] = &attention;
  }
}

Result<void> Builder::AddFused(size_t node_index, const Attention& attention) {
  if (node_index != attention.nodes.back()) return {};
  return EmitSdpa(*this, {ValueOf(attention.q), Transposed(ValueOf(attention.k_transposed)),
                          ValueOf(attention.v), attention.scale, /*causal=*/false});
}

void Builder::DropDead(size_t node_index) {
  for (graph::ValueId input : node_->inputs) {
    auto last = last_use_.find(input.value());
    if (last != last_use_.end() && last->second == node_index) values_.erase(input.value());
  }
}

// An output that is a view of something, or a constant, does not lie where the caller wants it yet.
Result<void> Builder::CopyOutputs() {
  for (graph::ValueId id : graph_.outputs()) {
    const std::string& name = graph_.value(id).name;
    auto found = values_.find(id.value());
    if (found == values_.end()) return Fail(Code::kInternal, "output '{}' was not made", name);
    const Tensor& tensor = found->second;
    program_->outputs[name] = tensor.shape;
    if (dry() || !IsStatic(tensor.shape)) continue;
    void* to = io_.addresses.at(name);
    if (!tensor.dense()) {
      Tensor placed{tensor.type, tensor.shape, Foreign(to), {}, {}};
      TRY(EmitMove(*this, tensor, placed, Move{tensor.shape, tensor.strides, StridesOf(tensor.shape)}));
      program_->kept.push_back(tensor.data);
      continue;
    }
    TRY_ASSIGN(const void* from, OnDevice(tensor));
    if (from == to) continue;
    Add([to, from, bytes = tensor.bytes()](cudaStream_t stream, std::string& why) {
      const cudaError_t status = cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream);
      if (status != cudaSuccess) why = cudaGetErrorString(status);
      return status == cudaSuccess;
    });
    program_->kept.push_back(tensor.data);
  }
  return {};
}

}  // namespace tessera::standin
