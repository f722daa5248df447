// A Triton server inside this process, for benchmarks: no socket, no copy, requests and answers on a GPU.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "tessera/base/memory.h"
#include "tessera/base/result.h"
#include "tessera/base/tensor.h"

namespace tessera::gputest {

// One request of one input "x" and one output "y" that is sent again and again; both are fp16 and on a GPU.
struct Request {
  std::string model;
  Shape shape;  // of x
  ConstRegion x;
  Region y;
};

// What the server's statistics say of a model: how often it computed, and how long that took.
struct Computed {
  double count = 0;
  double microseconds = 0;
};

class TritonHost {
 public:
  // $TESSERA_LIBTRITONSERVER, serving all models of `repository` with the backends in $TESSERA_BACKENDS.
  static Result<std::unique_ptr<TritonHost>> Start(const std::filesystem::path& repository);
  virtual ~TritonHost() = default;

  // Sends the request and waits, spinning, for its answer. Any thread, with a request of its own.
  virtual Result<void> Infer(const Request& request) = 0;
  virtual Result<Computed> Statistics(const std::string& model) = 0;
};

}  // namespace tessera::gputest
