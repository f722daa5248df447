#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
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

// As mkdir makes a directory in `parent`: with its default ACL, and its group where it has the setgid bit.
// Source: acl(5), mkdir(2).
Result<void> MakeAsIn(const fs::path& parent, const fs::path& directory) {
  if (directory.parent_path() == parent) return {};
  std::array<char, 4096> acl{};
  const ssize_t size = ::getxattr(parent.c_str(), "system.posix_acl_default", acl.data(), acl.size());
  for (const char* name : {"system.posix_acl_default", "system.posix_acl_access"}) {
    if (size <= 0) break;
    if (::setxattr(directory.c_str(), name, acl.data(), static_cast<size_t>(size), 0) != 0)
      return FailErrno("set the ACL of", directory, errno);
  }
  struct stat wanted {};
  struct stat made {};
  if (::stat(parent.c_str(), &wanted) != 0) return FailErrno("look at", parent, errno);
  if (::stat(directory.c_str(), &made) != 0) return FailErrno("look at", directory, errno);
  if ((wanted.st_mode & S_ISGID) == 0) return {};
  if (made.st_gid != wanted.st_gid &&
      ::chown(directory.c_str(), static_cast<uid_t>(-1), wanted.st_gid) != 0) {
    TESSERA_LOG(kWarning, "'{}' does not get the group of '{}': {}", directory.string(), parent.string(),
                std::generic_category().message(errno));
    return {};
  }
  if (::chmod(directory.c_str(), (made.st_mode & 07777) | S_ISGID) != 0)
    return FailErrno("set the mode of", directory, errno);
  return {};
}

}  // namespace

Result<StagedDirectory> StagedDirectory::Create(const fs::path& target) {
  if (target.empty()) return Fail(Code::kInvalidArgument, "the name of a directory is empty");
  return CreateIn(AbsoluteName(target).parent_path(), target);
}

Result<StagedDirectory> StagedDirectory::CreateIn(const fs::path& place, const fs::path& target) {
  constexpr int kTries = 5;
  const fs::path named = AbsoluteName(target);  // as meant now, wherever the process stands at Commit
  TRY(MustBeFree(named));
  RemoveLeftovers(place, named.filename().string());
  for (int tries = 1; tries <= kTries; ++tries) {
    StagedDirectory staged(named, TemporaryBeside(place / named.filename()));
    TRY(staged.Make());
    TRY_ASSIGN(const bool locked, staged.Lock());
    if (!locked) continue;
    TRY(MustLeadTo(staged.staging_, named));
    TRY(MakeAsIn(named.parent_path(), staged.staging_));
    return staged;
  }
  return Fail(Code::kUnavailable, "cannot create '{}': other processes removed what was begun in '{}'",
              target.string(), place.string());
}

Result<void> StagedDirectory::Make() {
  if (::mkdir(staging_.c_str(), 0777) == 0) return {};
  const int error = errno;
  const fs::path staging = std::exchange(staging_, {});  // not ours to remove
  if (error == ENOENT) {
    return Fail(Code::kNotFound, "cannot create '{}': no directory '{}'", target_.string(),
                staging.parent_path().string());
  }
  return Fail(Code::kUnavailable, "cannot create '{}': {}", target_.string(),
              std::generic_category().message(error));
}

// False: whoever removes leftovers took the directory for one, the moment before it was locked.
Result<bool> StagedDirectory::Lock() {
  Result<UniqueFd> lock = LockDirectory(staging_);
  if (lock) {
    lock_ = *std::move(lock);
    std::error_code error;
    return fs::exists(staging_, error);
  }
  const Code code = lock.error().code;
  if (code == Code::kUnsupported) return true;
  if (code == Code::kAlreadyExists || code == Code::kNotFound) return false;
  return Forward(std::move(lock));
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
