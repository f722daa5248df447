#include "tessera/build/visible_gpus.h"

#include <array>

#include <fmt/format.h>

#include "tessera/base/shared_library.h"

namespace tessera::build {
namespace {

// The few declarations of the driver that are used; its header belongs to the CUDA toolkit.
constexpr int kComputeMode = 20;
constexpr int kMajorCapability = 75;
constexpr int kMinorCapability = 76;
constexpr int kProhibited = 2;
constexpr int kNoDevice = 100;  // CUresult
constexpr int kNameSize = 96;
using Uuid = std::array<unsigned char, 16>;

struct Driver {
  int (*init)(unsigned);
  int (*describe)(int, const char**);
  int (*count)(int*);
  int (*device)(int*, int);
  int (*name)(char*, int, int);
  int (*uuid)(unsigned char*, int);
  int (*attribute)(int*, int, int);

  bool complete() const { return init && describe && count && device && name && uuid && attribute; }
};

Driver Load(const SharedLibrary& library) {
  return {library.Find<int(unsigned)>("cuInit"),
          library.Find<int(int, const char**)>("cuGetErrorString"),
          library.Find<int(int*)>("cuDeviceGetCount"),
          library.Find<int(int*, int)>("cuDeviceGet"),
          library.Find<int(char*, int, int)>("cuDeviceGetName"),
          library.Find<int(unsigned char*, int)>("cuDeviceGetUuid_v2"),
          library.Find<int(int*, int, int)>("cuDeviceGetAttribute")};
}

Result<void> Check(const Driver& driver, int error) {
  if (error == 0) return {};
  if (error == kNoDevice) return Fail(Code::kUnavailable, "no GPU: CUDA's driver sees none");
  const char* text = nullptr;
  driver.describe(error, &text);
  return Fail(Code::kUnavailable, "the GPU cannot be used: CUDA's driver says '{}' (error {})",
              text == nullptr ? "unknown error" : text, error);
}

std::string Text(const Uuid& uuid) {
  std::string text = "GPU";
  for (size_t i = 0; i < uuid.size(); ++i) {
    if (i == 0 || i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", uuid[i]);
  }
  return text;
}

Result<void> AddGpu(const Driver& driver, int index, std::vector<VisibleGpu>& gpus) {
  int device = 0;
  int mode = 0;
  int major = 0;
  int minor = 0;
  std::array<char, kNameSize> name{};
  Uuid uuid{};
  for (const int error : {driver.device(&device, index), driver.attribute(&mode, kComputeMode, device),
                          driver.attribute(&major, kMajorCapability, device),
                          driver.attribute(&minor, kMinorCapability, device),
                          driver.name(name.data(), kNameSize, device), driver.uuid(uuid.data(), device)}) {
    TRY(Check(driver, error));
  }
  if (mode != kProhibited) gpus.push_back({Text(uuid), name.data(), major * 10 + minor});
  return {};
}

}  // namespace

Result<std::vector<VisibleGpu>> VisibleGpus(const std::string& driver_file) {
  const auto library = SharedLibrary::Open({driver_file});
  if (!library) return Fail(Code::kNotFound, "no GPU: CUDA's driver ({}) is not installed", driver_file);
  const Driver driver = Load(*library);
  if (!driver.complete()) return Fail(Code::kUnavailable, "{} lacks functions", driver_file);
  int count = 0;
  for (const int error : {driver.init(0), driver.count(&count)}) TRY(Check(driver, error));
  std::vector<VisibleGpu> gpus;
  for (int index = 0; index < count; ++index) TRY(AddGpu(driver, index, gpus));
  if (gpus.empty()) TRY(Check(driver, kNoDevice));
  return gpus;
}

}  // namespace tessera::build
