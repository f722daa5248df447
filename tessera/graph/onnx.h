// ONNX files in and out.
#pragma once

#include <filesystem>
#include <functional>
#include <variant>

#include "tessera/graph/graph.h"

namespace tessera::graph {

// Reads any ONNX model up to IR 14. External data is mapped, not read (so models over 2 GB open at once). `Constant`
// nodes become initializers; everything else stays as it is: unknown ops, domains, attributes, functions, subgraphs.
// Errors: kNotFound, kInvalidArgument (not ONNX, not topologically sorted, a value defined twice or never, external
// data missing or truncated: the line names the tensor and the file, bytes got and wanted), kUnsupported (newer IR).
Result<Graph> ReadOnnx(const std::filesystem::path& file);

// A place in an external data file, beside the model.
struct ExternalData {
  std::string file;
  uint64_t offset = 0;
  uint64_t length = 0;
};

// Collects tensors in one external data file, each at a 64-byte aligned offset; equal content of equal size is not
// looked for. Written under a temporary name; Close renames it.
class WeightFile {
 public:
  static Result<std::unique_ptr<WeightFile>> Create(const std::filesystem::path& file);
  virtual ~WeightFile() = default;  // removes what was not closed
  virtual Result<ExternalData> Append(Bytes bytes) = 0;
  virtual Result<void> Close() = 0;
  virtual uint64_t size() const = 0;
};

// What is written for an initializer: its bytes inside the file, or where they lie outside.
using InitializerContent = std::variant<std::shared_ptr<const Constant>, ExternalData>;
using InitializerSource = std::function<Result<InitializerContent>(ValueId)>;

// Writes `graph` to `file` (temporary name, then rename). Nodes come in the order of graph.nodes(), which must be
// topological; initializers nobody reads are left out. `source` is asked for each initializer that is written, in the
// order of their numbers; without one, constants are written inside the file (kInvalidArgument past 2 GB).
// A value's type and shape are written as value_info where has_shape.
Result<void> WriteOnnx(const Graph& graph, const std::filesystem::path& file, const InitializerSource& source = {});

}  // namespace tessera::graph
