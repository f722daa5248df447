#include "tessera/engine/tensorrt/tensor_info.h"

namespace tessera::engine {

Result<DType> FromTensorRt(nvinfer1::DataType type) {
  switch (type) {
    case nvinfer1::DataType::kFLOAT:
      return DType::kFloat32;
    case nvinfer1::DataType::kHALF:
      return DType::kFloat16;
    case nvinfer1::DataType::kBF16:
      return DType::kBFloat16;
    case nvinfer1::DataType::kINT8:
      return DType::kInt8;
    case nvinfer1::DataType::kUINT8:
      return DType::kUInt8;
    case nvinfer1::DataType::kINT32:
      return DType::kInt32;
    case nvinfer1::DataType::kINT64:
      return DType::kInt64;
    case nvinfer1::DataType::kBOOL:
      return DType::kBool;
    default:
      return Fail(Code::kUnsupported, "TensorRT's data type {} as an input or output",
                  static_cast<int>(type));
  }
}

Shape FromTensorRt(const nvinfer1::Dims& dims) {
  return {dims.d, dims.d + (dims.nbDims > 0 ? dims.nbDims : 0)};
}

Result<nvinfer1::Dims> ToDims(const Shape& shape) {
  nvinfer1::Dims dims{};
  if (shape.size() > static_cast<size_t>(nvinfer1::Dims::MAX_DIMS)) {
    return Fail(Code::kUnsupported, "{} has more than TensorRT's {} dimensions", ToString(shape),
                static_cast<int>(nvinfer1::Dims::MAX_DIMS));
  }
  dims.nbDims = static_cast<int32_t>(shape.size());
  for (size_t i = 0; i < shape.size(); ++i) dims.d[i] = shape[i];
  return dims;
}

namespace {

Result<TensorInfo> ReadTensor(const nvinfer1::ICudaEngine& engine, const char* name) {
  TensorInfo info;
  info.spec.name = name;
  Result<DType> type = FromTensorRt(engine.getTensorDataType(name));
  if (!type) return Fail(Code::kUnsupported, "tensor '{}': {}", name, type.error().message);
  info.spec.type = *type;
  info.spec.shape = FromTensorRt(engine.getTensorShape(name));
  info.spec.on_host = engine.getTensorLocation(name) == nvinfer1::TensorLocation::kHOST;
  for (int32_t profile = 0; profile < engine.getNbOptimizationProfiles(); ++profile) {
    if (engine.getTensorFormat(name, profile) == nvinfer1::TensorFormat::kLINEAR) continue;
    return Fail(Code::kUnsupported, "tensor '{}' has the memory format {}, only a linear one is served", name,
                engine.getTensorFormatDesc(name, profile));
  }
  return info;
}

// As of KVCacheUpdate, whose output is its input changed.
Result<void> CheckOwnMemory(const nvinfer1::ICudaEngine& engine, const char* output) {
  const char* input = engine.getAliasedInputTensor(output);
  if (input == nullptr || *input == 0) return {};
  return Fail(Code::kUnsupported, "output '{}' must be the memory of input '{}', which is not served", output,
              input);
}

}  // namespace

Result<EngineTensors> ReadTensors(const nvinfer1::ICudaEngine& engine) {
  EngineTensors tensors;
  for (int32_t i = 0; i < engine.getNbIOTensors(); ++i) {
    const char* name = engine.getIOTensorName(i);
    if (name == nullptr) return Fail(Code::kInternal, "TensorRT names no tensor {}", i);
    TRY_ASSIGN(TensorInfo info, ReadTensor(engine, name));
    const bool is_input = engine.getTensorIOMode(name) == nvinfer1::TensorIOMode::kINPUT;
    if (!is_input) TRY(CheckOwnMemory(engine, name));
    (is_input ? tensors.inputs : tensors.outputs).push_back(std::move(info));
  }
  return tensors;
}

}  // namespace tessera::engine
