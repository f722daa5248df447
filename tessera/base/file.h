// Files: mapped for reading, written atomically.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "tessera/base/posix.h"
#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera {

// A whole file mapped read-only for as long as this lives. An empty file maps to no bytes.
class MappedFile {
 public:
  // Errors: kNotFound, kInvalidArgument (a directory, not readable).
  static Result<std::shared_ptr<const MappedFile>> Open(const std::filesystem::path& file);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  Bytes bytes() const { return bytes_; }

 private:
  explicit MappedFile(Bytes bytes) : bytes_(bytes) {}
  Bytes bytes_;
};

// The content of a small text file.
Result<std::string> ReadFile(const std::filesystem::path& file);

// Writes beside `file` under a temporary name, syncs and renames: the file is old or new, never half.
Result<void> WriteFileAtomically(const std::filesystem::path& file, std::string_view content);

// A directory that is built aside and appears whole: `Commit` renames it to its final name; without it the
// destructor removes all that was written. What a process that was killed has left is removed by the next
// Create for the same name and place (on a file system that has locks; elsewhere it stays).
class StagedDirectory {
 public:
  // Makes a hidden temporary directory beside `target`. Errors: kAlreadyExists (`target` exists), kNotFound
  // (its parent does not), kUnavailable (cannot be made).
  static Result<StagedDirectory> Create(const std::filesystem::path& target);
  // The same in the directory `place`, for a parent of `target` whose directories somebody else looks at;
  // group and ACL are what they would be there. More errors: kUnavailable (nothing can be renamed from
  // `place` to `target`: another file system, no right to write).
  static Result<StagedDirectory> CreateIn(const std::filesystem::path& place,
                                          const std::filesystem::path& target);
  StagedDirectory(StagedDirectory&& other) noexcept;
  StagedDirectory& operator=(StagedDirectory&&) = delete;
  ~StagedDirectory();

  const std::filesystem::path& path() const { return staging_; }
  Result<void> Commit();

 private:
  StagedDirectory(std::filesystem::path target, std::filesystem::path staging)
      : target_(std::move(target)), staging_(std::move(staging)) {}
  Result<void> Make();
  Result<bool> Lock();

  std::filesystem::path target_;
  std::filesystem::path staging_;  // empty once committed or moved from
  UniqueFd lock_;                  // tells others that `staging_` is no leftover; none without locks
};

}  // namespace tessera
