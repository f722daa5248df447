#include "tessera/engine/tensorrt/plugins.h"

#include <NvInferVersion.h>
#include <dlfcn.h>

#include <set>

#include "tessera/base/log.h"
#include "tessera/base/mutex.h"
#include "tessera/engine/tensorrt/logger.h"

namespace tessera::engine {
namespace {

using Register = bool (*)(void* logger, const char* library_namespace);

// Of the process: plugins are registered there.
struct Loaded {
  Mutex mutex;
  bool own GUARDED_BY(mutex) = false;  // TensorRT's own were looked for
  std::set<std::string> files GUARDED_BY(mutex);
};

Loaded& OfProcess() {
  static Loaded loaded;
  return loaded;
}

void* Open(const std::string& file) {
  return dlopen(file.c_str(), RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
}

Result<void> RegisterOf(void* library, const std::string& file) {
  auto initialise = reinterpret_cast<Register>(dlsym(library, "initLibNvInferPlugins"));
  if (initialise == nullptr || initialise(&TensorRtLogger::OfProcess(), "")) return {};
  return Fail(Code::kInternal, "the plugins of '{}' were not registered", file);
}

// A model without such plugins does without it.
Result<void> LoadOwn([[maybe_unused]] const TensorRtLibrary& tensorrt) {
#if !defined(TRT_MAJOR_RTX)
  const std::string name = fmt::format("libnvinfer_plugin.so.{}", NV_TENSORRT_MAJOR);
  for (const std::string& file : {(tensorrt.folder() / name).string(), name}) {
    if (void* library = Open(file)) return RegisterOf(library, file);
    TESSERA_LOG(kDebug, "no library of TensorRT's own plugins: {}", dlerror());
  }
#endif
  return {};
}

Result<void> LoadOne(const std::string& file) {
  void* library = Open(file);
  if (library == nullptr) return Fail(Code::kUnavailable, "a plugin library cannot be opened: {}", dlerror());
  TRY(RegisterOf(library, file));
  TESSERA_LOG(kInfo, "plugins of '{}' are loaded", file);
  return {};
}

}  // namespace

Result<void> LoadPlugins(const TensorRtLibrary& library, const std::vector<std::string>& files) {
  Loaded& loaded = OfProcess();
  MutexLock lock(loaded.mutex);
  if (!loaded.own) TRY(LoadOwn(library));
  loaded.own = true;
  for (const std::string& file : files) {
    if (loaded.files.count(file) != 0) continue;
    TRY(LoadOne(file));
    loaded.files.insert(file);
  }
  return {};
}

}  // namespace tessera::engine
