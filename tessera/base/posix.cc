#include "tessera/base/posix.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace tessera {
namespace {

Code CodeOf(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return Code::kNotFound;
    case EEXIST:
    case ENOTEMPTY:
      return Code::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EISDIR:
    case ELOOP:
    case EINVAL:
    case ENAMETOOLONG:
      return Code::kInvalidArgument;
    case ENOMEM:
    case ENOSPC:
    case EDQUOT:
    case EROFS:
    case EMFILE:
    case ENFILE:
    case EIO:
      return Code::kUnavailable;
    default:
      return Code::kInternal;
  }
}

}  // namespace

// After close fails the descriptor is gone all the same; data that matters was synced before.
void FdTraits::Close(Handle handle) noexcept {
  ::close(handle);
}

tl::unexpected<Error> FailErrno(std::string_view what, const std::filesystem::path& file, int error) {
  return Fail(CodeOf(error), "cannot {} '{}': {}", what, file.string(),
              std::generic_category().message(error));
}

Result<UniqueFd> OpenForReading(const std::filesystem::path& file) {
  // Non-blocking: opening a pipe nobody writes to would wait for ever. No effect on regular files.
  UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return FailErrno("open", file, errno);
  return fd;
}

Result<UniqueFd> LockDirectory(const std::filesystem::path& directory) {
  TRY_ASSIGN(UniqueFd fd, OpenForReading(directory));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno == EWOULDBLOCK)
    return Fail(Code::kAlreadyExists, "another process has locked '{}'", directory.string());
  return Fail(Code::kUnsupported, "cannot lock '{}': {}", directory.string(),
              std::generic_category().message(errno));
}

Result<void> Sync(const std::filesystem::path& file) {
  TRY_ASSIGN(UniqueFd fd, OpenForReading(file));
  // EINVAL: a file system without a sync for this kind of file, such as directories on some network mounts.
  if (::fsync(fd.get()) != 0 && errno != EINVAL) return FailErrno("sync", file, errno);
  return {};
}

}  // namespace tessera
