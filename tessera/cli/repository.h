// Puts a model into a model repository: whole, or not at all.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "tessera/base/result.h"
#include "tessera/shard/shard.h"

namespace tessera::cli {

// Writes a version directory's content into an empty directory and tells what was decided.
using VersionWriter = std::function<Result<shard::Outcome>(const std::filesystem::path& directory)>;

// Makes `repository`/`name` with config.pbtxt and version 1 as `write` makes it. The repository is made if it
// does not exist; nothing of it all is left behind on an error. Errors: kAlreadyExists (`repository`/`name`),
// kInvalidArgument (name), kUnavailable (cannot be written), and those of `write`.
Result<shard::Outcome> AddModel(const std::filesystem::path& repository, const std::string& name,
                                int max_batch, const VersionWriter& write);

}  // namespace tessera::cli
