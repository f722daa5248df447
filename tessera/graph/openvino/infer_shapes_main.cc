// Prints the type and shape of every value of models, for the tests in Python: onnx_infer_shapes MODEL ...;
// one line of JSON a model: an array, or {"error": ".."}.
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "tessera/graph/onnx.h"
#include "tessera/graph/openvino/openvino_shape_oracle.h"

namespace {

using tessera::graph::Graph;
using tessera::graph::Value;

nlohmann::json Describe(const Graph& graph, const Value& value) {
  nlohmann::json described{{"name", value.name},
                           {"type", tessera::DTypeName(value.type)},
                           {"constant", value.constant != nullptr}};
  if (!value.has_shape) return described;
  described["shape"] = value.shape;
  described["symbols"] = value.symbols;
  for (int32_t symbol : value.symbols) {
    described["names"].push_back(symbol < 0 ? "" : graph.symbol_names[static_cast<size_t>(symbol)]);
  }
  return described;
}

tessera::Result<void> Print(const char* file) {
  TRY_ASSIGN(Graph graph, tessera::graph::ReadOnnx(file));
  TRY(tessera::graph::MakeOpenVinoShapeOracle()->Infer(graph));
  auto values = nlohmann::json::array();
  for (const Value& value : graph.values()) values.push_back(Describe(graph, value));
  fmt::print("{}\n", values.dump());
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (auto done = Print(argv[i]); !done) {
      fmt::print("{}\n", nlohmann::json{{"error", done.error().ToString()}}.dump());
    }
  }
  return 0;
}
