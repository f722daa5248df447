// A directory for temporary files that goes with its object.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <utility>

#include "tessera/base/result.h"

namespace tessera::cli {

class ScratchDirectory {
 public:
  // Errors: kUnavailable (it cannot be made).
  static Result<ScratchDirectory> Create() {
    const std::filesystem::path base = std::filesystem::temp_directory_path();
    std::string name = (base / "tessera-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) return ScratchDirectory(name);
    return Fail(Code::kUnavailable, "cannot make a directory for temporary files in '{}'", base.string());
  }
  ScratchDirectory(ScratchDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchDirectory& operator=(ScratchDirectory&&) = delete;
  ~ScratchDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }

 private:
  explicit ScratchDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;  // empty: moved from
};

}  // namespace tessera::cli
