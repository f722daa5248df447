// The library's entry points and IRuntime. What a caller of libnvinfer.so.11 sees.
#include <NvInferRuntime.h>

#include <cstdlib>
#include <memory>
#include <new>

#include "tests/nvinfer_standin/api_context.h"
#include "tests/nvinfer_standin/api_engine.h"

namespace tessera::standin {
namespace {

class StandinRuntime final : public nvinfer1::IRuntime, public nvinfer1::apiv::VRuntime {
 public:
  explicit StandinRuntime(nvinfer1::ILogger& logger) : logger_(logger) { mImpl = this; }

  nvinfer1::IRuntime* getPImpl() noexcept override { return this; }
  nvinfer1::ICudaEngine* deserializeCudaEngine(void const* blob, std::size_t size) noexcept override {
    return Deserialize(*FromMemory({static_cast<const char*>(blob), size}));
  }
  void setDLACore(int32_t) noexcept override {}
  int32_t getDLACore() const noexcept override { return 0; }
  int32_t getNbDLACores() const noexcept override { return 0; }
  void setGpuAllocator(nvinfer1::IGpuAllocator*) noexcept override {}
  void setErrorRecorder(nvinfer1::IErrorRecorder*) noexcept override {}
  nvinfer1::IErrorRecorder* getErrorRecorder() const noexcept override { return nullptr; }
  nvinfer1::ILogger* getLogger() const noexcept override { return &logger_; }
  bool setMaxThreads(int32_t) noexcept override { return true; }
  int32_t getMaxThreads() const noexcept override { return 1; }
  void setTemporaryDirectory(char const*) noexcept override {}
  char const* getTemporaryDirectory() const noexcept override { return ""; }
  void setTempfileControlFlags(nvinfer1::TempfileControlFlags) noexcept override {}
  nvinfer1::TempfileControlFlags getTempfileControlFlags() const noexcept override { return 0; }
  nvinfer1::IPluginRegistry& getPluginRegistry() noexcept override {
    std::abort();
  }  // nobody asks the stand-in
  void setPluginRegistryParent(nvinfer1::IPluginRegistry*) noexcept override {}
  nvinfer1::IRuntime* loadRuntime(char const*) noexcept override { return nullptr; }
  void setEngineHostCodeAllowed(bool) noexcept override {}
  bool getEngineHostCodeAllowed() const noexcept override { return false; }
  nvinfer1::ICudaEngine* deserializeCudaEngineV2(nvinfer1::IStreamReaderV2& reader) noexcept override {
    return Deserialize(*FromReader(reader));
  }

 private:
  nvinfer1::ICudaEngine* Deserialize(PlanSource& plan) noexcept {
    std::string took;
    Result<std::shared_ptr<const Model>> model = Model::Load(plan, took);
    if (!model) {
      LogError(logger_, model.error());
      return nullptr;
    }
    logger_.log(nvinfer1::ILogger::Severity::kVERBOSE, ("an engine is there, ms: " + took).c_str());
    return std::make_unique<StandinEngine>(*std::move(model), logger_).release();
  }

  nvinfer1::ILogger& logger_;
};

}  // namespace
}  // namespace tessera::standin

// Hidden visibility is this build's default, and TensorRT's headers change it only for TensorRT itself.
#define STANDIN_EXPORT extern "C" __attribute__((visibility("default")))

STANDIN_EXPORT void* createInferRuntime_INTERNAL(void* logger, int32_t version) noexcept {
  if (version / 10000 != NV_TENSORRT_MAJOR || logger == nullptr) return nullptr;
  auto* runtime =
      new (std::nothrow) tessera::standin::StandinRuntime(*static_cast<nvinfer1::ILogger*>(logger));
  return static_cast<nvinfer1::IRuntime*>(runtime);
}

STANDIN_EXPORT int32_t getInferLibVersion() noexcept {
  return NV_TENSORRT_VERSION;
}
