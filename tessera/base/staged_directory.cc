#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

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

// What was staged for `name` in `place` by processes that live no more: nobody has locked it.
void RemoveLeftovers(const fs::path& place, const std::string& name) {
  std::error_code error;
  for (fs::directory_iterator at(place, error); !error && at != fs::directory_iterator();
       at.increment(error)) {
    std::error_code ignored;  // whoever cannot remove it cannot write here either, and is told so
    if (!IsTemporaryOf(at->path().filename().string(), name) || at->is_symlink(ignored) ||
        !at->is_directory(ignored))
      continue;
    const Result<UniqueFd> lock = LockDirectory(at->path());
    if (lock) fs::remove_all(at->path(), ignored);
  }
}

// Tried with a file: a directory in `target`'s place might be taken for it.
Result<void> MustLeadTo(const fs::path& staging, const fs::path& target) {
  if (staging.parent_path() == target.parent_path()) return {};
  const fs::path from = staging / "rename";
  const fs::path to = TemporaryBeside(target);
  const UniqueFd made(::open(from.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!made) return FailErrno("create", from, errno);
  if (::rename(from.c_str(), to.c_str()) != 0) {
    const int error = errno;
    ::unlink(from.c_str());
    return Fail(Code::kUnavailable, "cannot rename from '{}' to '{}': {}", staging.parent_path().string(),
                target.parent_path().string(), std::generic_category().message(error));
  }
  ::unlink(to.c_str());
  return {};
}

}  // namespace

Result<StagedDirectory> StagedDirectory::Create(const fs::path& target) {
  if (target.empty()) return Fail(Code::kInvalidArgument, "the name of a directory is empty");
  return CreateIn(AbsoluteName(target).parent_path(), target);
}

Result<StagedDirectory> StagedDirectory::CreateIn(const fs::path& place, const fs::path& target) {
  fs::path named = AbsoluteName(target);  // as meant now, wherever the process stands at Commit
  TRY(MustBeFree(named));
  fs::path staging = TemporaryBeside(place / named.filename());
  RemoveLeftovers(staging.parent_path(), named.filename().string());
  if (::mkdir(staging.c_str(), 0777) != 0) {
    const int error = errno;
    if (error == ENOENT) {
      return Fail(Code::kNotFound, "cannot create '{}': no directory '{}'", target.string(),
                  staging.parent_path().string());
    }
    return Fail(Code::kUnavailable, "cannot create '{}': {}", target.string(),
                std::generic_category().message(error));
  }
  StagedDirectory staged(std::move(named), std::move(staging), UniqueFd());
  TRY(MustLeadTo(staged.staging_, staged.target_));
  TRY(staged.Lock());
  return staged;
}

// Whoever removes leftovers may have taken the directory for one, the moment before it is locked.
Result<void> StagedDirectory::Lock() {
  Result<UniqueFd> lock = LockDirectory(staging_);
  std::error_code error;
  if (lock && fs::exists(staging_, error)) {
    lock_ = *std::move(lock);
    return {};
  }
  if (!lock && lock.error().code == Code::kUnsupported) return {};
  return Fail(Code::kUnavailable, "cannot create '{}': another process removed '{}'", target_.string(),
              staging_.string());
}

StagedDirectory::StagedDirectory(StagedDirectory&& other) noexcept
    : target_(std::move(other.target_)),
      staging_(std::exchange(other.staging_, {})),
      lock_(std::move(other.lock_)) {}

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
