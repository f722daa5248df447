#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "tessera/base/file.h"
#include "tessera/base/log.h"
#include "tessera/base/posix.h"
#include "tessera/base/temporary_name.h"

namespace tessera {
namespace {

namespace fs = std::filesystem;

Result<void> MustBeFree(const fs::path& target) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(target, error);
  if (fs::exists(status)) return Fail(Code::kAlreadyExists, "'{}' exists already", target.string());
  if (status.type() == fs::file_type::not_found) return {};
  return FailErrno("look at", target, error.value());
}

// Files before the directories that name them, so that the rename never outlives the content.
Result<void> SyncTree(const fs::path& directory) {
  std::error_code error;
  fs::recursive_directory_iterator at(directory, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    if (at->is_symlink(error)) continue;
    TRY(Sync(at->path()));
  }
  if (error) return FailErrno("list", directory, error.value());
  return Sync(directory);
}

Result<void> RenameToFree(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno == EEXIST) return Fail(Code::kAlreadyExists, "'{}' exists already", to.string());
  if (errno != EINVAL && errno != ENOSYS) return FailErrno("create", to, errno);
  // A file system without RENAME_NOREPLACE (NFS): look first. rename itself still never replaces a filled
  // directory.
  TRY(MustBeFree(to));
  if (::rename(from.c_str(), to.c_str()) != 0) return FailErrno("create", to, errno);
  return {};
}

}  // namespace

Result<StagedDirectory> StagedDirectory::Create(const fs::path& target) {
  if (target.empty()) return Fail(Code::kInvalidArgument, "the name of a directory is empty");
  fs::path named = AbsoluteName(target);  // as meant now, wherever the process stands at Commit
  TRY(MustBeFree(named));
  fs::path staging = TemporaryBeside(named);
  if (::mkdir(staging.c_str(), 0777) != 0) {
    const int error = errno;
    if (error == ENOENT) {
      return Fail(Code::kNotFound, "cannot create '{}': no directory '{}'", target.string(),
                  staging.parent_path().string());
    }
    return Fail(Code::kUnavailable, "cannot create '{}': {}", target.string(),
                std::generic_category().message(error));
  }
  return StagedDirectory(std::move(named), std::move(staging));
}

StagedDirectory::StagedDirectory(StagedDirectory&& other) noexcept
    : target_(std::move(other.target_)), staging_(std::exchange(other.staging_, {})) {}

StagedDirectory::~StagedDirectory() {
  if (staging_.empty()) return;
  std::error_code error;
  fs::remove_all(staging_, error);
  if (error) TESSERA_LOG(kWarning, "cannot remove '{}': {}", staging_.string(), error.message());
}

Result<void> StagedDirectory::Commit() {
  TRY(SyncTree(staging_));
  TRY(RenameToFree(staging_, target_));
  staging_.clear();
  return Sync(target_.parent_path());
}

}  // namespace tessera
