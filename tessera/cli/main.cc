// The program `tessera`: one command a task, each in its own file.
#include <cstdlib>

#include "tessera/base/log.h"
#include "tessera/cli/commands.h"

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

}  // namespace
}  // namespace tessera::cli

int main(int argc, char** argv) {
  using namespace tessera::cli;
  tessera::SetLogLevel(tessera::LogLevel::kWarning);
  // Where /sys is not mounted, the hwloc of OpenVINO's thread pool would put a line of its own on stderr,
  // among those that scripts read. Whoever looks for it sets the variable.
  setenv("HWLOC_HIDE_ERRORS", "2", /*overwrite=*/0);
  Program program("tessera", TESSERA_VERSION, kAbout, kFooter);
  AddShardCommand(program);
  AddBuildCommand(program);
  AddVerifyCommand(program);
  AddInspectCommand(program);
  AddBenchCommand(program);
  AddServeCommand(program);
  AddDoctorCommand(program);
  return program.Run(argc, argv);
}
