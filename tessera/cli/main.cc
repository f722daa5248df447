// The program `tessera`: one command a task, each in its own file.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "tessera/base/log.h"
#include "tessera/cli/command.h"
#include "tessera/cli/help.h"

namespace tessera::cli {
namespace {

constexpr const char* kAbout =
    "Tessera splits a model over several devices and serves it as one model of Triton Inference Server.\n"
    "\n"
    "The usual way:\n"
    "  tessera shard model.onnx --ranks 2 -o repo        split it, write a Triton model repository\n"
    "  tessera verify repo/model --against model.onnx    prove that the split computes the same\n"
    "  tessera serve repo                                serve it over HTTP and gRPC";

constexpr const char* kFooter =
    "`tessera COMMAND --help` explains a command and shows an example.\n"
    "Exit code: 0 done, 1 a check failed, 2 bad usage or input (one line on stderr says what).";

// Errors are one line, whatever the message has in it.
void PrintError(std::string message) {
  for (char& c : message) {
    if (c == '\n') c = ' ';
  }
  fmt::print(stderr, "tessera: {}\n", message);
}

// CLI11 tells of a missing command before it tells of an unknown one.
std::string UsageError(const std::vector<Command>& commands, int argc, char** argv,
                       const CLI::ParseError& error) {
  const std::string first = argc > 1 ? argv[1] : "-";
  const bool known = first[0] == '-' ||
                     std::any_of(commands.begin(), commands.end(),
                                 [&](const Command& command) { return command.app->get_name() == first; });
  const std::string what = known ? error.what() : fmt::format("no command '{}'", first);
  return what + " (see `tessera --help`)";
}

int Run(int argc, char** argv) {
  CLI::App app{kAbout, "tessera"};
  app.formatter(std::make_shared<HelpFormatter>());
  app.footer(kFooter);
  app.require_subcommand(1);
  app.set_version_flag("--version", TESSERA_VERSION);
  const std::vector<Command> commands{MakeShardCommand(app),   MakeBuildCommand(app), MakeVerifyCommand(app),
                                      MakeInspectCommand(app), MakeBenchCommand(app), MakeServeCommand(app),
                                      MakeDoctorCommand(app)};
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    PrintError(UsageError(commands, argc, argv, error));
    return ToInt(ExitCode::kBadInput);
  }
  for (const Command& command : commands) {
    if (!command.app->parsed()) continue;
    Result<int> code = command.run();
    if (code) return *code;
    PrintError(code.error().ToString());
    return ToInt(ExitCode::kBadInput);
  }
  return ToInt(ExitCode::kOk);
}

}  // namespace
}  // namespace tessera::cli

int main(int argc, char** argv) {
  tessera::SetLogLevel(tessera::LogLevel::kWarning);
  return tessera::cli::Run(argc, argv);
}
