// What the POSIX calls of this module share: descriptors with an owner and errno as an Error.
#pragma once

#include <filesystem>
#include <string_view>

#include "tessera/base/result.h"
#include "tessera/base/unique_handle.h"

namespace tessera {

struct FdTraits {
  using Handle = int;
  static constexpr Handle kNone = -1;
  static void Close(Handle handle) noexcept;
};
using UniqueFd = UniqueHandle<FdTraits>;

// "cannot open 'x.onnx': No such file or directory", with the code that fits `error` (an errno).
tl::unexpected<Error> FailErrno(std::string_view what, const std::filesystem::path& file, int error);

// Opens for reading. Errors: kNotFound, kInvalidArgument (not readable).
Result<UniqueFd> OpenForReading(const std::filesystem::path& file);

// A lock on a directory that one process holds at a time, however it ends, and no child of it. Errors:
// kAlreadyExists (another holds it), kUnsupported (this file system has no locks on directories), those of
// OpenForReading.
Result<UniqueFd> LockDirectory(const std::filesystem::path& directory);

// Makes what was written through (or in the directory) `file` last beyond a crash.
Result<void> Sync(const std::filesystem::path& file);

}  // namespace tessera
