// Weights that are mapped but no longer read. Private to the adapter.
#pragma once

#include <filesystem>

#include "tessera/base/types.h"

namespace tessera::engine::openvino {

// Takes the pages of every read-only mapping of a file below `directory` out of this process's
// resident memory; says how many bytes those mappings have. Whoever reads them again gets them back from the
// page cache. OpenVINO keeps the files of all ranks mapped, and has read all of each, when it has long
// repacked what it computes with; a file that several ranks share is mapped once for each of them. Source:
// man 2 madvise, MADV_DONTNEED; man 5 proc_pid_maps.
ByteCount ReleaseMappedPages(const std::filesystem::path& directory);

}  // namespace tessera::engine::openvino
