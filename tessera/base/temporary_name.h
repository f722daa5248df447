// Names for what is built aside before it gets its real name.
#pragma once

#include <filesystem>

namespace tessera {

// `path` as an absolute name without "..", "." and a slash at the end.
std::filesystem::path AbsoluteName(const std::filesystem::path& path);

// A hidden name in the directory of `target` that no other call returns:
// "dir/.name.<process>-<random>-<n>.tmp". The same directory, so that a rename stays within one file system.
std::filesystem::path TemporaryBeside(const std::filesystem::path& target);

}  // namespace tessera
