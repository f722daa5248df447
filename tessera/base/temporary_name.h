// Names for what is built aside before it gets its real name.
#pragma once

#include <filesystem>
#include <string_view>

namespace tessera {

// `path` as an absolute name without "..", "." and a slash at the end.
std::filesystem::path AbsoluteName(const std::filesystem::path& path);

// A hidden name in the directory of `target` that no other call returns:
// "dir/.name.<process>-<random>-<n>.tmp". The same directory, so that a rename stays within one file system.
std::filesystem::path TemporaryBeside(const std::filesystem::path& target);

// Whether `name` is one that TemporaryBeside gave, in whatever process, for a target called `of`.
bool IsTemporaryOf(std::string_view name, std::string_view of);

}  // namespace tessera
