// TensorRT's builder and ONNX parser, opened at run time: a build needs their headers only.
#pragma once

#include <NvInfer.h>
#include <NvOnnxParser.h>

#include <memory>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/build/tensorrt/messages.h"

namespace tessera::build {

class BuilderLibrary {
 public:
  // The first of `candidates` that the loader finds, and the parser beside it or by its usual name. Both stay
  // loaded. Errors: kUnavailable (none found: the loader's own words), kUnsupported (no builder, or not of
  // the headers' major version, whose classes would not fit, or older).
  static Result<BuilderLibrary> Open(const std::vector<std::string>& candidates);

  // 10701 is TensorRT-RTX 1.7.1, 110100 is TensorRT 11.1.0; and "1.7.1".
  int number() const { return number_; }
  std::string version() const;

  // Errors: kUnavailable (with the library's messages: no usable GPU, no memory, a file of its own that
  // it does not find).
  Result<std::unique_ptr<nvinfer1::IBuilder>> CreateBuilder(Messages& messages) const;
  Result<std::unique_ptr<nvonnxparser::IParser>> CreateParser(nvinfer1::INetworkDefinition& network,
                                                              Messages& messages) const;

 private:
  using CreateBuilderFunction = void* (*)(void* logger, int32_t version);
  using CreateParserFunction = void* (*)(void* network, void* logger, int version);
  BuilderLibrary() = default;

  CreateBuilderFunction create_builder_ = nullptr;
  CreateParserFunction create_parser_ = nullptr;
  int number_ = 0;
};

// Whether a build for a GPU of compute capability 8.6 can be made where there is no such GPU.
#if defined(TRT_MAJOR_RTX)
inline constexpr bool kBuildsForOtherGpus = true;
inline constexpr const char* kProductName = "TensorRT-RTX";
#else
inline constexpr bool kBuildsForOtherGpus = false;
inline constexpr const char* kProductName = "TensorRT";
#endif

}  // namespace tessera::build
