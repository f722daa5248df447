// What every command of the program is made of.
#pragma once

#include <functional>

#include <CLI/CLI.hpp>

#include "tessera/base/result.h"

namespace tessera::cli {

// What the program ends with; bad usage or bad input is a failed Result and becomes 2.
enum class ExitCode { kOk = 0, kCheckFailed = 1, kBadInput = 2 };

// A command as the command line parser knows it, and what to do when it was given. `app` is owned by its
// parent.
struct Command {
  CLI::App* app = nullptr;
  std::function<Result<int>()> run;  // the process's exit code
};

inline int ToInt(ExitCode code) {
  return static_cast<int>(code);
}

Command MakeShardCommand(CLI::App& parent);
Command MakeBuildCommand(CLI::App& parent);
Command MakeVerifyCommand(CLI::App& parent);
Command MakeInspectCommand(CLI::App& parent);
Command MakeBenchCommand(CLI::App& parent);
Command MakeServeCommand(CLI::App& parent);
Command MakeDoctorCommand(CLI::App& parent);

}  // namespace tessera::cli
