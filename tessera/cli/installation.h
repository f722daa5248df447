// Where the parts of an installation lie that this program starts or loads.
#pragma once

#include <filesystem>
#include <string>

#include "tessera/base/result.h"

namespace tessera::cli {

// The tritonserver program: `given` (the program, or a directory with bin/tritonserver) if not empty; else
// that of the Python environment this was built with, of .venv in a directory above this program,
// /opt/tritonserver, or the PATH. Errors: kNotFound (the line tells where was looked).
Result<std::filesystem::path> FindTritonServer(const std::string& given);

// The directory whose tensorrt/libtriton_tensorrt.so is Tessera's backend: `given` if not empty, else the one
// beside this program's directory. Errors: kNotFound.
Result<std::filesystem::path> FindBackends(const std::string& given);

}  // namespace tessera::cli
