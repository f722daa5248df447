#include "tessera/cli/visible_gpus.h"

#include <dlfcn.h>

#include <array>

#include <fmt/format.h>

namespace tessera::cli {
namespace {

// The few declarations of the driver that are used; its header belongs to the CUDA toolkit.
constexpr int kComputeMode = 20;
constexpr int kMajorCapability = 75;
constexpr int kMinorCapability = 76;
constexpr int kProhibited = 2;
constexpr int kNameSize = 96;
using Uuid = std::array<unsigned char, 16>;

struct Driver {
  int (*init)(unsigned);
  int (*count)(int*);
  int (*device)(int*, int);
  int (*name)(char*, int, int);
  int (*uuid)(unsigned char*, int);
  int (*attribute)(int*, int, int);

  bool complete() const { return init && count && device && name && uuid && attribute; }
};

template <class Function>
void Find(void* library, const char* symbol, Function*& found) {
  found = reinterpret_cast<Function*>(dlsym(library, symbol));
}

Driver Load(void* library) {
  Driver driver{};
  Find(library, "cuInit", driver.init);
  Find(library, "cuDeviceGetCount", driver.count);
  Find(library, "cuDeviceGet", driver.device);
  Find(library, "cuDeviceGetName", driver.name);
  Find(library, "cuDeviceGetUuid_v2", driver.uuid);
  Find(library, "cuDeviceGetAttribute", driver.attribute);
  return driver;
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
  const bool good = driver.device(&device, index) == 0 &&
                    driver.attribute(&mode, kComputeMode, device) == 0 &&
                    driver.attribute(&major, kMajorCapability, device) == 0 &&
                    driver.attribute(&minor, kMinorCapability, device) == 0 &&
                    driver.name(name.data(), kNameSize, device) == 0 && driver.uuid(uuid.data(), device) == 0;
  if (!good) return Fail(Code::kUnavailable, "CUDA's driver does not describe GPU {}", index);
  if (mode != kProhibited) gpus.push_back({Text(uuid), name.data(), fmt::format("{}.{}", major, minor)});
  return {};
}

}  // namespace

Result<std::vector<VisibleGpu>> VisibleGpus(const std::string& driver_file) {
  void* library = dlopen(driver_file.c_str(), RTLD_NOW | RTLD_NODELETE);
  if (library == nullptr) return Fail(Code::kNotFound, "no driver of CUDA: {}", dlerror());
  const Driver driver = Load(library);
  if (!driver.complete()) return Fail(Code::kUnavailable, "{} lacks functions", driver_file);
  int count = 0;
  for (const int error : {driver.init(0), driver.count(&count)}) {
    if (error != 0) return Fail(Code::kUnavailable, "CUDA's driver does not answer (error {})", error);
  }
  std::vector<VisibleGpu> gpus;
  for (int index = 0; index < count; ++index) TRY(AddGpu(driver, index, gpus));
  return gpus;
}

}  // namespace tessera::cli
