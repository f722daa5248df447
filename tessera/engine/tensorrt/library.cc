#include "tessera/engine/tensorrt/library.h"

#include <cuda_runtime_api.h>
#include <dlfcn.h>

#include <cstdlib>

#include "tessera/cuda/device.h"
#include "tessera/cuda/status.h"
#include "tessera/engine/tensorrt/logger.h"

namespace tessera::engine {
namespace {

std::string DefaultName() {
  if (const char* named = std::getenv("TESSERA_NVINFER_LIBRARY"); named != nullptr && *named != 0)
    return named;
#if defined(TRT_MAJOR_RTX)
  return fmt::format("libtensorrt_rtx.so.{}", NV_TENSORRT_MAJOR);
#else
  return fmt::format("libnvinfer.so.{}", NV_TENSORRT_MAJOR);
#endif
}

struct Version {
  int major;
  int minor;
  int patch;
};

// 110400 is 11.4.0 and TensorRT-RTX's 10701 is 1.7.1; TensorRT 8 wrote 8601 for 8.6.1.
Version Decode(int number) {
  if (number >= 10000) return {number / 10000, number / 100 % 100, number % 100};
  return {number / 1000, number / 100 % 10, number % 100};
}

}  // namespace

Result<void> CheckLibraryVersion(const std::string& file, int number) {
  const Version got = Decode(number);
  if (got.major == NV_TENSORRT_MAJOR && got.minor >= NV_TENSORRT_MINOR) return {};
  return Fail(Code::kUnsupported,
              "'{}' is TensorRT {}.{}, this program was built with the headers of {}.{} and wants that or a "
              "later {}",
              file, got.major, got.minor, NV_TENSORRT_MAJOR, NV_TENSORRT_MINOR, NV_TENSORRT_MAJOR);
}

void TensorRtLibrary::LibraryTraits::Close(Handle handle) noexcept {
  (void)dlclose(handle);
}

Result<std::shared_ptr<const TensorRtLibrary>> TensorRtLibrary::Open(const std::filesystem::path& file) {
  const std::string name = file.empty() ? DefaultName() : file.string();
  std::shared_ptr<TensorRtLibrary> library(new TensorRtLibrary);
  // Stays loaded for good: libraries with CUDA code inside do not survive being unloaded.
  library->handle_.Reset(dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE));
  if (!library->handle_) {
    return Fail(Code::kUnavailable, "TensorRT's library cannot be opened: {} (set TESSERA_NVINFER_LIBRARY?)",
                dlerror());
  }
  auto version = reinterpret_cast<int32_t (*)()>(dlsym(library->handle_.get(), "getInferLibVersion"));
  library->create_ =
      reinterpret_cast<CreateFunction>(dlsym(library->handle_.get(), "createInferRuntime_INTERNAL"));
  if (version == nullptr || library->create_ == nullptr) {
    return Fail(Code::kUnsupported, "'{}' is no TensorRT library: it has no createInferRuntime_INTERNAL",
                name);
  }
  TRY(CheckLibraryVersion(name, version()));
  const Version got = Decode(version());
  library->version_ = fmt::format("{}.{}.{}", got.major, got.minor, got.patch);
  return library;
}

std::filesystem::path TensorRtLibrary::folder() const {
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(create_), &info) == 0 || info.dli_fname == nullptr) return {};
  return std::filesystem::path(info.dli_fname).parent_path();
}

Result<std::unique_ptr<nvinfer1::IRuntime>> TensorRtLibrary::CreateRuntime(DeviceId device) const {
  TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(device));
  CUDA_TRY(cudaFree(nullptr));
  auto* runtime =
      static_cast<nvinfer1::IRuntime*>(create_(&TensorRtLogger::OfProcess(), NV_TENSORRT_VERSION));
  if (runtime == nullptr) return Fail(Code::kUnavailable, "TensorRT {} made no runtime", version_);
  return std::unique_ptr<nvinfer1::IRuntime>(runtime);
}

}  // namespace tessera::engine
