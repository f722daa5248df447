// The commands of the program, each in a file of its own.
#pragma once

#include "tessera/cli/command_line.h"

namespace tessera::cli {

void AddShardCommand(Program& program);
void AddBuildCommand(Program& program);
void AddVerifyCommand(Program& program);
void AddInspectCommand(Program& program);
void AddBenchCommand(Program& program);
void AddServeCommand(Program& program);
void AddDoctorCommand(Program& program);

}  // namespace tessera::cli
