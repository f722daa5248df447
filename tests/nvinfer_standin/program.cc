#include "tests/nvinfer_standin/program.h"

#include <algorithm>
#include <cstring>

#include "tessera/cuda/status.h"
#include "tests/nvinfer_standin/moves.h"
#include "tests/nvinfer_standin/sdpa.h"

namespace tessera::standin {
namespace {

std::shared_ptr<void> Foreign(void* memory) {
  return {memory, [](void*) {}};
}

}  // namespace

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

bool Builder::TakeNext(const std::string& op_type) {
  const graph::ValueId output = node_->outputs[0];
  const std::vector<graph::NodeId>& readers = consumers_[static_cast<size_t>(output.value())];
  const auto& outputs = graph_.outputs();
  if (readers.size() != 1 || std::find(outputs.begin(), outputs.end(), output) != outputs.end()) return false;
  const graph::Node& reader = graph_.node(readers.front());
  if (reader.op_type != op_type) return false;
  taken_ = &reader;
  left_out_.insert(&reader);
  return true;
}

graph::ValueId Builder::OutputId(size_t index) const {
  return taken_ != nullptr && index == 0 ? taken_->outputs[0] : node_->outputs[index];
}

bool Builder::HasInput(size_t index) const {
  return index < node_->inputs.size() && node_->inputs[index] != graph::kNoValue;
}

const Tensor& Builder::Input(size_t index) const {
  return values_.at(node_->inputs[index].value());
}

Result<std::vector<int64_t>> Builder::Values(size_t index) const {
  if (!HasInput(index)) return Fail(Code::kInvalidArgument, "input {} is missing", index);
  const Tensor& tensor = Input(index);
  if (!tensor.host) return Fail(Code::kUnsupported, "input {} is only known at run time", index);
  return *tensor.host;
}

Result<std::vector<float>> Builder::Floats(size_t index) const {
  if (!HasInput(index)) return Fail(Code::kInvalidArgument, "input {} is missing", index);
  const auto& constant = graph_.value(node_->inputs[index]).constant;
  const std::optional<std::vector<float>> values = constant ? FloatsOf(*constant) : std::nullopt;
  if (!values) return Fail(Code::kUnsupported, "input {} is no constant of floats", index);
  return *values;
}

Result<std::shared_ptr<void>> Builder::Memory(size_t bytes) {
  if (dry()) return std::shared_ptr<void>();
  return program_->pool->Take(bytes);
}

Result<Tensor> Builder::NewOutput(size_t index, DType type, Shape shape) {
  Tensor tensor;
  tensor.type = type;
  tensor.shape = std::move(shape);
  const std::string& name = graph_.value(OutputId(index)).name;
  auto wanted = io_.addresses.find(name);
  if (wanted != io_.addresses.end()) {
    tensor.data = Foreign(wanted->second);
  } else {
    TRY_ASSIGN(tensor.data, Memory(tensor.bytes()));
  }
  SetOutput(index, tensor);
  return tensor;
}

void Builder::SetOutput(size_t index, Tensor tensor) {
  if (index < node_->outputs.size()) values_[OutputId(index).value()] = std::move(tensor);
}

Result<void> Builder::SetView(size_t index, const Tensor& of, Shape shape) {
  Tensor view = of;
  view.shape = std::move(shape);
  if (view.count() != of.count()) {
    return Fail(Code::kInvalidArgument, "{} as {}", ToString(of.shape), ToString(view.shape));
  }
  SetOutput(index, std::move(view));
  return {};
}

void Builder::SetStrided(size_t index, const Tensor& of, Shape shape, std::vector<int64_t> strides,
                         int64_t offset) {
  Tensor view{of.type, std::move(shape), nullptr, std::nullopt, std::move(strides)};
  if (view.strides == StridesOf(view.shape)) view.strides.clear();
  if (of.data) {
    const auto bytes = offset * static_cast<int64_t>(of.element());
    view.data = std::shared_ptr<void>(of.data, static_cast<std::byte*>(of.data.get()) + bytes);
  }
  SetOutput(index, std::move(view));
}

Result<void> Builder::SetPicked(const Tensor& in, const Tensor& keep) {
  const graph::Value& output = graph_.value(OutputId(0));
  const bool is_output =
      std::find(graph_.outputs().begin(), graph_.outputs().end(), OutputId(0)) != graph_.outputs().end();
  if (!is_output || !consumers_[static_cast<size_t>(OutputId(0).value())].empty()) {
    return Fail(Code::kUnsupported, "rows that are picked within the graph");
  }
  if (!dry()) {
    TRY(OnDevice(in));
    TRY(OnDevice(keep));
    const size_t row_bytes = in.bytes() / static_cast<size_t>(in.shape.front());
    program_->picked.push_back({output.name, in.data, keep.data, row_bytes, in.shape});
  }
  Tensor picked{in.type, in.shape, nullptr, std::nullopt, {}};
  picked.shape.front() = kDynamic;
  SetOutput(0, std::move(picked));
  return {};
}

Result<Tensor> Builder::Scratch(DType type, Shape shape) {
  Tensor tensor;
  tensor.type = type;
  tensor.shape = std::move(shape);
  TRY_ASSIGN(tensor.data, Memory(tensor.bytes()));
  return tensor;
}

Result<const void*> Builder::OnDevice(const Tensor& tensor) {
  if (tensor.data || dry()) return static_cast<const void*>(tensor.data.get());
  if (!tensor.host)
    return Fail(Code::kInternal, "a {} {} lies nowhere", DTypeName(tensor.type), ToString(tensor.shape));
  std::vector<std::byte> bytes(tensor.bytes());
  for (size_t i = 0; i < tensor.host->size(); ++i) {  // little endian: the low bytes are the value
    std::memcpy(bytes.data() + i * tensor.element(), &(*tensor.host)[i], tensor.element());
  }
  TRY_ASSIGN(const Tensor uploaded, Constant(tensor.type, tensor.shape, bytes));
  return static_cast<const void*>(uploaded.data.get());
}

// Not from the pool, whose blocks earlier launches write to.
Result<Tensor> Builder::Constant(DType type, Shape shape, const std::vector<std::byte>& bytes) {
  Tensor tensor{type, std::move(shape), nullptr, std::nullopt, {}};
  if (dry()) return tensor;
  TRY_ASSIGN(cuda::DeviceBuffer memory,
             cuda::DeviceBuffer::Create(device_.id, std::max<size_t>(bytes.size(), 1)));
  CUDA_TRY(cudaMemcpy(memory.data(), bytes.data(), bytes.size(), cudaMemcpyHostToDevice));
  CUDA_TRY(cudaStreamSynchronize(cudaStreamLegacy));  // a small copy may still be on its way
  tensor.data = Foreign(memory.data());
  program_->constants.push_back(std::move(memory));
  return tensor;
}

void Builder::AddWork(Work work) {
  if (!dry()) program_->works.push_back(std::move(work));
}

void Builder::AddKernel(std::function<bool(cudaStream_t)> kernel) {
  Add([kernel = std::move(kernel)](cudaStream_t stream, std::string& why) {
    if (!kernel(stream)) {
      why = "no kernel for this type";
      return false;
    }
    const cudaError_t status = cudaPeekAtLastError();
    if (status != cudaSuccess) why = cudaGetErrorString(cudaGetLastError());
    return status == cudaSuccess;
  });
}

}  // namespace tessera::standin
