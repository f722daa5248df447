// The TensorRT library, opened when the first model needs it.
#pragma once

#include <NvInferRuntime.h>
#include <NvInferVersion.h>

#include <filesystem>
#include <memory>
#include <string>

#include "tessera/base/result.h"
#include "tessera/base/types.h"
#include "tessera/base/unique_handle.h"

namespace tessera::engine {

// Whose headers this build has, as plan::Build names it.
#if defined(TRT_MAJOR_RTX)
inline constexpr const char* kTensorRtLibraryName = "tensorrt_rtx";
#else
inline constexpr const char* kTensorRtLibraryName = "tensorrt";
#endif

// Whether `file`, whose getInferLibVersion is `number`, fits these headers. Errors: kUnsupported (another
// major version, whose virtual tables would not fit, or an older one, whose are shorter).
Result<void> CheckLibraryVersion(const std::string& file, int number);

// Opened at run time, not linked: a build needs headers only, a server without TensorRT still serves other
// models and says what is missing, and a test puts its own library here.
class TensorRtLibrary {
 public:
  // `file` = "" takes $TESSERA_NVINFER_LIBRARY or, without it, the soname that these headers belong to.
  // Errors: kUnavailable (not found: the loader's own text), those of CheckLibraryVersion.
  static Result<std::shared_ptr<const TensorRtLibrary>> Open(const std::filesystem::path& file = {});

  // "11.1.0"
  const std::string& version() const { return version_; }

  // Where the loader found it.
  std::filesystem::path folder() const;

  // A runtime for this device, with the process' logger. The device is touched first: TensorRT 11 returns a
  // bad pointer, not null, where CUDA cannot be initialised. Errors: kUnavailable.
  Result<std::unique_ptr<nvinfer1::IRuntime>> CreateRuntime(DeviceId device) const;

 private:
  struct LibraryTraits {
    using Handle = void*;
    static constexpr Handle kNone = nullptr;
    static void Close(Handle handle) noexcept;
  };
  using CreateFunction = void* (*)(void* logger, int32_t version);
  TensorRtLibrary() = default;

  UniqueHandle<LibraryTraits> handle_;
  CreateFunction create_ = nullptr;
  std::string version_;
};

}  // namespace tessera::engine
