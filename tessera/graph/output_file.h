// A file that is written piece by piece under a temporary name and appears whole.
#pragma once

#include <filesystem>
#include <string>

#include "tessera/base/posix.h"
#include "tessera/base/types.h"

namespace tessera::graph {

class OutputFile {
 public:
  static Result<OutputFile> Create(const std::filesystem::path& file);
  OutputFile(OutputFile&& other) noexcept = default;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();  // removes what was not committed

  // Small pieces are collected, large ones go out at once.
  Result<void> Write(Bytes bytes);
  Result<void> Commit();

 private:
  OutputFile(std::filesystem::path file, std::filesystem::path temporary, UniqueFd fd)
      : file_(std::move(file)), temporary_(std::move(temporary)), fd_(std::move(fd)) {}
  Result<void> WriteThrough(Bytes bytes);
  Result<void> Flush();

  std::filesystem::path file_;
  std::filesystem::path temporary_;
  UniqueFd fd_;  // owns nothing once committed or moved from
  std::string pending_;
};

}  // namespace tessera::graph
