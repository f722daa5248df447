// TensorRT's words for tensors in ours.
#pragma once

#include <NvInferRuntime.h>

#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/tensor.h"

namespace tessera::engine {

// Errors: kUnsupported for a type that cannot be an input or output here (FP8, INT4, ..).
Result<DType> FromTensorRt(nvinfer1::DataType type);
Shape FromTensorRt(const nvinfer1::Dims& dims);
Result<nvinfer1::Dims> ToDims(const Shape& shape);

// An input or output as an engine declares it.
struct TensorInfo {
  TensorSpec spec;
};

struct EngineTensors {
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> outputs;
};
// Errors: kUnsupported (type, a vectorised memory format, an output that is an input's memory), naming the
// tensor.
Result<EngineTensors> ReadTensors(const nvinfer1::ICudaEngine& engine);

}  // namespace tessera::engine
