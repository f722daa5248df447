#include "tests/nvinfer_standin/api_context.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "tessera/cuda/status.h"
#include "tests/nvinfer_standin/fault.h"

namespace tessera::standin {

void LogError(nvinfer1::ILogger& logger, const Error& error) noexcept {
  logger.log(nvinfer1::ILogger::Severity::kERROR, error.message.c_str());
}

nvinfer1::Dims ToDims(const Shape& shape) noexcept {
  nvinfer1::Dims dims{};
  dims.nbDims = static_cast<int32_t>(shape.size());
  for (size_t d = 0; d < shape.size(); ++d) dims.d[d] = shape[d];
  return dims;
}

Shape FromDims(const nvinfer1::Dims& dims) {
  return {dims.d, dims.d + std::max(0, dims.nbDims)};
}

nvinfer1::Dims StandinContext::getTensorShape(char const* name) const noexcept {
  Result<Shape> shape = state_.ShapeOf(name);
  if (shape) return ToDims(*shape);
  LogError(logger_, shape.error());
  nvinfer1::Dims none{};
  none.nbDims = -1;
  return none;
}

nvinfer1::Dims StandinContext::getTensorStrides(char const* name) const noexcept {
  Result<Shape> shape = state_.ShapeOf(name);
  return shape ? ToDims(StridesOf(*shape)) : nvinfer1::Dims{-1, {}};
}

bool StandinContext::setTensorAddress(char const* name, void* data) noexcept {
  if (state_.model().Find(name) == nullptr) {
    return Told(Fail(Code::kInvalidArgument, "no tensor '{}'", name));
  }
  state_.SetAddress(name, data);
  return true;
}

int32_t StandinContext::inferShapes(int32_t most, char const** names) noexcept {
  const std::optional<Fault> fault = AskedFault(state_.model().plan());
  if (fault && fault->kind == Fault::Kind::kShapes) {
    logger_.log(nvinfer1::ILogger::Severity::kWARNING, "fault: inferShapes hangs");
    std::this_thread::sleep_for(std::chrono::hours(1));
  }
  const std::vector<std::string> missing = state_.MissingShapes();
  for (size_t i = 0; i < missing.size() && static_cast<int32_t>(i) < most; ++i) {
    names[i] = state_.model().Find(missing[i].c_str())->name.c_str();
  }
  if (!missing.empty()) return static_cast<int32_t>(missing.size());
  for (const Model::Io& tensor : state_.model().io()) {
    const Result<Shape> shape = state_.ShapeOf(tensor.name);
    if (shape) continue;
    LogError(logger_, shape.error());
    return -1;
  }
  return 0;
}

int64_t StandinContext::getMaxOutputSize(char const* name) const noexcept {
  Result<Shape> shape = state_.ShapeOf(name);
  if (!shape || !IsStatic(*shape)) return -1;
  return static_cast<int64_t>(BytesOf(state_.model().Find(name)->type, *shape).value());
}

// As TensorRT does it: waits for what decides the shape, asks for memory, tells the shape.
Result<void> StandinContext::Deliver(const PickedRows& picked, cudaStream_t stream) {
  nvinfer1::IOutputAllocator* allocator = allocators_[picked.name];
  if (allocator == nullptr) return Fail(Code::kInvalidArgument, "'{}' has no allocator", picked.name);
  std::vector<char> keep(static_cast<size_t>(picked.shape.front()));
  CUDA_TRY(cudaMemcpyAsync(keep.data(), picked.keep.get(), keep.size(), cudaMemcpyDeviceToHost, stream));
  CUDA_TRY(cudaStreamSynchronize(stream));
  Shape shape = picked.shape;
  shape.front() = std::count_if(keep.begin(), keep.end(), [](char kept) { return kept != 0; });
  const auto bytes = static_cast<size_t>(shape.front()) * picked.row_bytes;
  auto* to = static_cast<std::byte*>(
      allocator->reallocateOutputAsync(picked.name.c_str(), nullptr, bytes, 256, stream));
  if (to == nullptr) return Fail(Code::kUnavailable, "no memory for '{}'", picked.name);
  const auto* from = static_cast<const std::byte*>(picked.rows.get());
  for (size_t row = 0; row < keep.size(); ++row) {
    if (keep[row] == 0) continue;
    CUDA_TRY(cudaMemcpyAsync(to, from + row * picked.row_bytes, picked.row_bytes, cudaMemcpyDeviceToDevice,
                             stream));
    to += picked.row_bytes;
  }
  allocator->notifyShape(picked.name.c_str(), ToDims(shape));
  return {};
}

bool StandinContext::enqueueV3(cudaStream_t stream) noexcept {
  if (!Told(state_.Enqueue(stream, logger_))) return false;
  for (const PickedRows& picked : state_.picked()) {
    if (!Told(Deliver(picked, stream))) return false;
  }
  if (consumed_ == nullptr) return true;
  return cudaEventRecord(consumed_, stream) == cudaSuccess;
}

}  // namespace tessera::standin
