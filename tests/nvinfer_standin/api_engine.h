// ICudaEngine and IEngineInspector of the stand-in.
#pragma once

#include <NvInferRuntime.h>

#include "tests/nvinfer_standin/model.h"

namespace tessera::standin {

// One layer a collective, of a kind as TensorRT names its own ("comm_.."), after one layer for all the rest.
class StandinInspector final : public nvinfer1::IEngineInspector, public nvinfer1::apiv::VEngineInspector {
 public:
  explicit StandinInspector(std::shared_ptr<const Model> model);
  nvinfer1::IEngineInspector* getPImpl() noexcept override { return this; }
  bool setExecutionContext(nvinfer1::IExecutionContext const*) noexcept override { return true; }
  nvinfer1::IExecutionContext const* getExecutionContext() const noexcept override { return nullptr; }
  char const* getLayerInformation(int32_t index, nvinfer1::LayerInformationFormat) const noexcept override;
  char const* getEngineInformation(nvinfer1::LayerInformationFormat) const noexcept override {
    return all_.c_str();
  }
  void setErrorRecorder(nvinfer1::IErrorRecorder*) noexcept override {}
  nvinfer1::IErrorRecorder* getErrorRecorder() const noexcept override { return nullptr; }

 private:
  std::vector<std::string> layers_;
  std::string all_;
};

class StandinEngine final : public nvinfer1::ICudaEngine, public nvinfer1::apiv::VCudaEngine {
 public:
  StandinEngine(std::shared_ptr<const Model> model, nvinfer1::ILogger& logger)
      : model_(std::move(model)), logger_(logger) {
    mImpl = this;
  }

  nvinfer1::ICudaEngine* getPImpl() noexcept override { return this; }
  int32_t getNbLayers() const noexcept override {
    return 1 + static_cast<int32_t>(model_->collectives().size());
  }
  nvinfer1::IHostMemory* serialize() const noexcept override { return nullptr; }
  nvinfer1::IExecutionContext* createExecutionContext(
      nvinfer1::ExecutionContextAllocationStrategy) noexcept override;
  bool isRefittable() const noexcept override { return false; }
  char const* getName() const noexcept override { return "standin"; }
  int32_t getNbOptimizationProfiles() const noexcept override {
    return static_cast<int32_t>(model_->plan().profiles.size());
  }
  nvinfer1::EngineCapability getEngineCapability() const noexcept override {
    return nvinfer1::EngineCapability::kSTANDARD;
  }
  void setErrorRecorder(nvinfer1::IErrorRecorder*) noexcept override {}
  nvinfer1::IErrorRecorder* getErrorRecorder() const noexcept override { return nullptr; }
  nvinfer1::TacticSources getTacticSources() const noexcept override { return 0; }
  nvinfer1::ProfilingVerbosity getProfilingVerbosity() const noexcept override {
    return model_->TellsLayers() ? nvinfer1::ProfilingVerbosity::kDETAILED
                                 : nvinfer1::ProfilingVerbosity::kLAYER_NAMES_ONLY;
  }
  nvinfer1::IEngineInspector* createEngineInspector() const noexcept override {
    return new StandinInspector(model_);
  }
  nvinfer1::Dims getTensorShape(char const* name) const noexcept override;
  nvinfer1::DataType getTensorDataType(char const* name) const noexcept override;
  nvinfer1::TensorLocation getTensorLocation(char const* name) const noexcept override {
    return isShapeInferenceIO(name) ? nvinfer1::TensorLocation::kHOST : nvinfer1::TensorLocation::kDEVICE;
  }
  bool isShapeInferenceIO(char const* name) const noexcept override {
    const Model::Io* tensor = model_->Find(name);
    return tensor != nullptr && tensor->on_host;
  }
  nvinfer1::TensorIOMode getTensorIOMode(char const* name) const noexcept override;
  int32_t getTensorBytesPerComponent(char const*) const noexcept override { return -1; }
  int32_t getTensorComponentsPerElement(char const*) const noexcept override { return -1; }
  nvinfer1::TensorFormat getTensorFormat(char const* name) const noexcept override {
    return IsVectorised(name) ? nvinfer1::TensorFormat::kCHW4 : nvinfer1::TensorFormat::kLINEAR;
  }
  char const* getTensorFormatDesc(char const* name) const noexcept override {
    return IsVectorised(name) ? "channels in fours" : "row major linear";
  }
  int32_t getTensorVectorizedDim(char const*) const noexcept override { return -1; }
  nvinfer1::Dims getProfileShape(char const* name, int32_t profile,
                                 nvinfer1::OptProfileSelector select) const noexcept override;
  int32_t getNbIOTensors() const noexcept override { return static_cast<int32_t>(model_->io().size()); }
  char const* getIOTensorName(int32_t index) const noexcept override;
  nvinfer1::HardwareCompatibilityLevel getHardwareCompatibilityLevel() const noexcept override {
    return static_cast<nvinfer1::HardwareCompatibilityLevel>(
        0);  // none; the names stand in the builder's header
  }
  int32_t getNbAuxStreams() const noexcept override { return 0; }
  int32_t getTensorBytesPerComponentV2(char const*, int32_t) const noexcept override { return -1; }
  int32_t getTensorComponentsPerElementV2(char const*, int32_t) const noexcept override { return -1; }
  nvinfer1::TensorFormat getTensorFormatV2(char const* name, int32_t) const noexcept override {
    return getTensorFormat(name);
  }
  char const* getTensorFormatDescV2(char const* name, int32_t) const noexcept override {
    return getTensorFormatDesc(name);
  }
  int32_t getTensorVectorizedDimV2(char const*, int32_t) const noexcept override { return -1; }
  nvinfer1::ISerializationConfig* createSerializationConfig() noexcept override { return nullptr; }
  nvinfer1::IHostMemory* serializeWithConfig(nvinfer1::ISerializationConfig&) const noexcept override {
    return nullptr;
  }
  nvinfer1::IRefitter* createRefitter(nvinfer1::ILogger&) noexcept override { return nullptr; }
  int64_t getStreamableWeightsSize() const noexcept override { return 0; }
  bool isDebugTensor(char const*) const noexcept override { return false; }
  bool setWeightStreamingBudgetV2(int64_t) noexcept override { return false; }
  int64_t getWeightStreamingBudgetV2() const noexcept override { return 0; }
  int64_t getWeightStreamingAutomaticBudget() const noexcept override { return 0; }
  int64_t getWeightStreamingScratchMemorySize() const noexcept override { return 0; }
  int64_t getDeviceMemorySizeV2() const noexcept override {
    return getDeviceMemorySizeForProfileV2(getNbOptimizationProfiles() - 1);
  }
  int64_t getDeviceMemorySizeForProfileV2(int32_t profile) const noexcept override {
    return static_cast<int64_t>(model_->ContextBytes(profile));
  }
  int64_t const* getProfileTensorValuesV2(char const* name, int32_t profile,
                                          nvinfer1::OptProfileSelector select) const noexcept override;
  nvinfer1::IExecutionContext* createExecutionContextWithRuntimeConfig(
      nvinfer1::IRuntimeConfig*) noexcept override {
    return nullptr;
  }
  nvinfer1::IRuntimeConfig* createRuntimeConfig() noexcept override { return nullptr; }
  int64_t getEngineStat(nvinfer1::EngineStat) const noexcept override { return -1; }
  char const* getAliasedInputTensor(char const* name) const noexcept override {
    return Declares(name, "alias") ? getIOTensorName(0) : nullptr;
  }

 private:
  bool IsVectorised(char const* name) const { return Declares(name, "chw4"); }
  bool Declares(char const* name, const char* what) const {
    const Model::Io* tensor = model_->Find(name);
    return tensor != nullptr && tensor->declared == what;
  }

  const std::shared_ptr<const Model> model_;
  nvinfer1::ILogger& logger_;
};

}  // namespace tessera::standin
