// What an operator asks of the builder: its inputs, places for its outputs, and that its work be done.
#include <algorithm>
#include <cstring>

#include "tessera/cuda/status.h"
#include "tests/nvinfer_standin/program.h"

namespace tessera::standin {

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
