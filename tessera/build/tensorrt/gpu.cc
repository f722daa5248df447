#include "tessera/build/tensorrt/gpu.h"

#include <dlfcn.h>

namespace tessera::build {
namespace {

// Source: CUDA driver API, CUdevice_attribute.
constexpr int kMajorCapability = 75;
constexpr int kMinorCapability = 76;
constexpr int kNoDevice = 100;  // CUresult

}  // namespace

Result<int> CapabilityOfFirstGpu() {
  void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NODELETE);
  if (driver == nullptr)
    return Fail(Code::kUnavailable, "no GPU: CUDA's driver (libcuda.so.1) is not installed");
  const auto init = reinterpret_cast<int (*)(unsigned)>(dlsym(driver, "cuInit"));
  const auto get_device = reinterpret_cast<int (*)(int*, int)>(dlsym(driver, "cuDeviceGet"));
  const auto get_attribute = reinterpret_cast<int (*)(int*, int, int)>(dlsym(driver, "cuDeviceGetAttribute"));
  const auto describe = reinterpret_cast<int (*)(int, const char**)>(dlsym(driver, "cuGetErrorString"));
  if (init == nullptr || get_device == nullptr || get_attribute == nullptr || describe == nullptr)
    return Fail(Code::kUnavailable, "libcuda.so.1 is not CUDA's driver");
  int device = 0;
  int major = 0;
  int minor = 0;
  for (const int error : {init(0), get_device(&device, 0), get_attribute(&major, kMajorCapability, device),
                          get_attribute(&minor, kMinorCapability, device)}) {
    if (error == 0) continue;
    if (error == kNoDevice) return Fail(Code::kUnavailable, "no GPU: CUDA's driver sees none");
    const char* text = nullptr;
    describe(error, &text);
    return Fail(Code::kUnavailable, "the GPU cannot be used: CUDA's driver says '{}' (error {})",
                text == nullptr ? "unknown error" : text, error);
  }
  return major * 10 + minor;
}

}  // namespace tessera::build
