// Reads and writes models, for the tests in Python: onnx_round_trip IN OUT [IN OUT ...].
#include <fmt/core.h>

#include "tessera/graph/onnx.h"

namespace {

tessera::Result<void> RoundTrip(const char* in, const char* out) {
  TRY_ASSIGN(const tessera::graph::Graph graph, tessera::graph::ReadOnnx(in));
  return tessera::graph::WriteOnnx(graph, out);
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i + 1 < argc; i += 2) {
    if (auto done = RoundTrip(argv[i], argv[i + 1]); !done) {
      fmt::print(stderr, "{}: {}\n", argv[i], done.error().ToString());
      return 1;
    }
  }
  return 0;
}
