// A library of plugins that keeps the logger it is given, as TensorRT's own does.
#include <NvInferRuntime.h>

namespace {

nvinfer1::ILogger* kept = nullptr;

}  // namespace

extern "C" __attribute__((visibility("default"))) bool initLibNvInferPlugins(void* logger, const char*) {
  kept = static_cast<nvinfer1::ILogger*>(logger);
  return true;
}

extern "C" __attribute__((visibility("default"))) void LogFromPlugin(const char* message) {
  kept->log(nvinfer1::ILogger::Severity::kWARNING, message);
}
