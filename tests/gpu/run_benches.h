// What the programs of benchmarks have in common.
#pragma once

#include <utility>
#include <vector>

#include "tessera/base/result.h"

namespace tessera::gputest {

// A benchmark's name, and what runs it in worlds of so many GPUs and prints its tables.
using NamedBench = std::pair<const char*, Result<void> (*)(const std::vector<int>& worlds)>;

// Those that the command line names, all without a name, on 1, 2, 4 .. GPUs. Returns the program's exit code.
int RunBenches(int argc, char** argv, const std::vector<NamedBench>& all);

}  // namespace tessera::gputest
