// What `tessera build` prints when it is done.
#pragma once

#include "tessera/cli/model_build.h"

namespace tessera::cli {

// To stdout; that no probe is recorded, and why, to stderr.
void PrintText(const BuiltModel& built);
void PrintJson(const BuiltModel& built);

}  // namespace tessera::cli
