// Makes FP32 models FP16, for the tests in Python: onnx_to_half IN OUT. Prints how many elements were
// clamped.
#include <fmt/core.h>

#include "tessera/graph/half.h"
#include "tessera/graph/onnx.h"

namespace {

tessera::Result<void> Convert(const char* in, const char* out) {
  TRY_ASSIGN(tessera::graph::Graph graph, tessera::graph::ReadOnnx(in));
  TRY_ASSIGN(const tessera::graph::HalfReport report, tessera::graph::ToHalf(graph));
  fmt::print("{} {} {}\n", report.nodes_in_half, report.nodes_in_full, report.clamped);
  return tessera::graph::WriteOnnx(graph, out);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  if (auto done = Convert(argv[1], argv[2]); !done) {
    fmt::print(stderr, "{}: {}\n", argv[1], done.error().ToString());
    return 1;
  }
  return 0;
}
