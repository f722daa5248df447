// Where the parts of an installation lie that this program starts or loads.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tessera/base/result.h"

namespace tessera::cli {

// The tritonserver program: `given` (the program, or a directory with bin/tritonserver) if not empty; else
// that of the Python environment this was built with, of .venv in a directory above this program,
// /opt/tritonserver, or the PATH. Errors: kNotFound (the line tells where was looked).
Result<std::filesystem::path> FindTritonServer(const std::string& given);

// The directory whose tensorrt/libtriton_tensorrt.so is Tessera's backend: `given` if not empty, else the one
// beside this program's directory. Errors: kNotFound.
Result<std::filesystem::path> FindBackends(const std::string& given);

// The programs that build a rank's engine with TensorRT's builder ("tensorrt") or TensorRT-RTX's
// ("tensorrt-rtx"). Both lie beside this program, where it was built with their headers.
struct EngineBuilder {
  std::string name;
  std::filesystem::path program;
  std::vector<std::string> libraries;  // where its library may be, in the order to try
  bool measures = false;  // kernels, on this machine's GPU: it can start from a timing cache and write one
};

// `given` if not empty; else the one that can do it: TensorRT-RTX's where engines are wanted
// `for_other_gpus`, else TensorRT's if it is there. `library` replaces the places where the library is looked
// for: the loader's, and NVIDIA's Python package in the environments that FindTritonServer looks in. Errors:
// kNotFound (this program was built without its headers; the line says what to do), kInvalidArgument
// (`given`).
Result<EngineBuilder> FindEngineBuilder(const std::string& given, bool for_other_gpus,
                                        const std::string& library);

}  // namespace tessera::cli
