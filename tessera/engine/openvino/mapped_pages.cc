#include "tessera/engine/openvino/mapped_pages.h"

#include <sys/mman.h>

#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

namespace tessera::engine::openvino {
namespace {

struct Mapping {
  uintptr_t begin = 0;
  uintptr_t end = 0;
  std::string access;  // "r--p"
  std::string file;    // "" = of no file
};

// A line of /proc/self/maps: "begin-end access offset device inode file".
std::optional<Mapping> ParseLine(const std::string& line) {
  std::istringstream fields(line);
  Mapping mapping;
  char dash = 0;
  std::string offset;
  std::string device;
  std::string inode;
  fields >> std::hex >> mapping.begin >> dash >> mapping.end >> mapping.access >> offset >> device >> inode >>
      std::ws;
  if (!fields && mapping.access.empty()) return std::nullopt;
  std::getline(fields, mapping.file);
  return mapping;
}

}  // namespace

ByteCount ReleaseMappedPages(const std::filesystem::path& directory) {
  std::error_code failed;
  const std::string below = std::filesystem::canonical(directory, failed).string() + "/";
  if (failed) return ByteCount{0};
  uint64_t bytes = 0;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const std::optional<Mapping> mapping = ParseLine(line);
    // Only what cannot be written to: the changes of a private mapping would be lost.
    if (!mapping || !mapping->access.starts_with("r--") || !mapping->file.starts_with(below)) continue;
    const size_t size = mapping->end - mapping->begin;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel names mappings by number
    if (madvise(reinterpret_cast<void*>(mapping->begin), size, MADV_DONTNEED) == 0) bytes += size;
  }
  return ByteCount{bytes};
}

}  // namespace tessera::engine::openvino
