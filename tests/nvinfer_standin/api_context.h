// IExecutionContext of the stand-in.
#pragma once

#include <NvInferRuntime.h>

#include <map>
#include <string>

#include "tests/nvinfer_standin/context_state.h"

namespace tessera::standin {

void LogError(nvinfer1::ILogger& logger, const Error& error) noexcept;
nvinfer1::Dims ToDims(const Shape& shape) noexcept;
Shape FromDims(const nvinfer1::Dims& dims);

class StandinContext final : public nvinfer1::IExecutionContext, public nvinfer1::apiv::VExecutionContext {
 public:
  StandinContext(const nvinfer1::ICudaEngine& engine, std::shared_ptr<const Model> model,
                 nvinfer1::ILogger& logger)
      : engine_(engine), logger_(logger), state_(std::move(model)) {
    mImpl = this;
  }

  // Memory of its own, for what is no caller's affair.
  bool TakeMemory(size_t bytes) noexcept { return Told(state_.TakeMemory(bytes)); }

  nvinfer1::IExecutionContext* getPImpl() noexcept override { return this; }
  void setDebugSync(bool) noexcept override {}
  bool getDebugSync() const noexcept override { return false; }
  void setProfiler(nvinfer1::IProfiler*) noexcept override {}
  nvinfer1::IProfiler* getProfiler() const noexcept override { return nullptr; }
  nvinfer1::ICudaEngine const& getEngine() const noexcept override { return engine_; }
  void setName(char const* name) noexcept override { name_ = name == nullptr ? "" : name; }
  char const* getName() const noexcept override { return name_.c_str(); }
  void setDeviceMemory(void*) noexcept override {}
  int32_t getOptimizationProfile() const noexcept override { return state_.profile(); }
  bool allInputDimensionsSpecified() const noexcept override { return state_.MissingShapes().empty(); }
  void setErrorRecorder(nvinfer1::IErrorRecorder*) noexcept override {}
  nvinfer1::IErrorRecorder* getErrorRecorder() const noexcept override { return nullptr; }
  bool executeV2(void* const*) noexcept override { return false; }
  bool setOptimizationProfileAsync(int32_t profile, cudaStream_t) noexcept override {
    return Told(state_.SetProfile(profile));
  }
  void setEnqueueEmitsProfile(bool) noexcept override {}
  bool getEnqueueEmitsProfile() const noexcept override { return true; }
  bool reportToProfiler() const noexcept override { return false; }
  bool setInputShape(char const* name, nvinfer1::Dims const& dims) noexcept override {
    return Told(state_.SetInputShape(name, FromDims(dims)));
  }
  nvinfer1::Dims getTensorShape(char const* name) const noexcept override;
  nvinfer1::Dims getTensorStrides(char const* name) const noexcept override;
  bool setTensorAddress(char const* name, void* data) noexcept override;
  void const* getTensorAddress(char const* name) const noexcept override { return state_.Address(name); }
  bool setInputTensorAddress(char const* name, void const* data) noexcept override {
    return setTensorAddress(name, const_cast<void*>(data));
  }
  bool setOutputTensorAddress(char const* name, void* data) noexcept override {
    return setTensorAddress(name, data);
  }
  int32_t inferShapes(int32_t most, char const** names) noexcept override;
  bool setInputConsumedEvent(cudaEvent_t event) noexcept override {
    consumed_ = event;
    return true;
  }
  cudaEvent_t getInputConsumedEvent() const noexcept override { return consumed_; }
  void* getOutputTensorAddress(char const* name) const noexcept override { return state_.Address(name); }
  bool setOutputAllocator(char const* name, nvinfer1::IOutputAllocator* allocator) noexcept override {
    allocators_[name] = allocator;
    return true;
  }
  nvinfer1::IOutputAllocator* getOutputAllocator(char const* name) noexcept override {
    return allocators_[name];
  }
  int64_t getMaxOutputSize(char const* name) const noexcept override;
  bool setTemporaryStorageAllocator(nvinfer1::IGpuAllocator*) noexcept override { return true; }
  nvinfer1::IGpuAllocator* getTemporaryStorageAllocator() const noexcept override { return nullptr; }
  bool enqueueV3(cudaStream_t stream) noexcept override;
  void setPersistentCacheLimit(size_t) noexcept override {}
  size_t getPersistentCacheLimit() const noexcept override { return 0; }
  bool setNvtxVerbosity(nvinfer1::ProfilingVerbosity) noexcept override { return true; }
  nvinfer1::ProfilingVerbosity getNvtxVerbosity() const noexcept override {
    return nvinfer1::ProfilingVerbosity::kNONE;
  }
  void setAuxStreams(cudaStream_t*, int32_t) noexcept override {}
  bool setDebugListener(nvinfer1::IDebugListener*) noexcept override { return false; }
  nvinfer1::IDebugListener* getDebugListener() noexcept override { return nullptr; }
  bool setTensorDebugState(char const*, bool) noexcept override { return false; }
  bool getDebugState(char const*) const noexcept override { return false; }
  bool setAllTensorsDebugState(bool) noexcept override { return false; }
  size_t updateDeviceMemorySizeForShapes() noexcept override { return 0; }
  void setDeviceMemoryV2(void* memory, int64_t bytes) noexcept override {
    state_.SetMemory(memory, static_cast<size_t>(bytes));
  }
  nvinfer1::IRuntimeConfig* getRuntimeConfig() const noexcept override { return nullptr; }
  bool setUnfusedTensorsDebugState(bool) noexcept override { return false; }
  bool getUnfusedTensorsDebugState() const noexcept override { return false; }
  bool setCommunicator(void* communicator) noexcept override {
    return Told(state_.SetCommunicator(static_cast<ncclComm_t>(communicator)));
  }

 private:
  bool Told(const Result<void>& result) const noexcept {
    if (!result) LogError(logger_, result.error());
    return result.has_value();
  }

  Result<void> Deliver(const PickedRows& picked, cudaStream_t stream);

  const nvinfer1::ICudaEngine& engine_;
  nvinfer1::ILogger& logger_;
  mutable ContextState state_;  // infers shapes when they are asked for
  std::string name_;
  cudaEvent_t consumed_ = nullptr;
  std::map<std::string, nvinfer1::IOutputAllocator*> allocators_;
};

}  // namespace tessera::standin
