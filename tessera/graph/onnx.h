// ONNX files in and out.
#pragma once

#include <filesystem>
#include <functional>
#include <variant>

#include "tessera/graph/graph.h"

namespace tessera::graph {

inline constexpr int64_t kNewestIrVersion = 14;

struct ReadOptions {
  // Ifs whose branch is certain before anything runs (by ranks and sizes) are replaced by that branch.
  bool settle_branches = false;
};

// Reads any ONNX model up to IR 14. Weights are mapped, not read, external or not (so models over 2 GB open
// at once): the files must not change while the graph lives. `Constant` nodes become initializers; everything
// else stays as it is: unknown ops, domains, attributes, functions, subgraphs. Errors: kNotFound,
// kInvalidArgument (not ONNX, not topologically sorted, a value defined twice or never, external data missing
// or truncated: the line names the tensor and the file, bytes got and wanted), kUnsupported (newer IR).
Result<Graph> ReadOnnx(const std::filesystem::path& file, const ReadOptions& options = {});

// The same from memory that `owner` keeps alive; external data lies in `directory`. `what` names the model in
// errors.
Result<Graph> ParseOnnx(Bytes model, std::shared_ptr<const void> owner,
                        const std::filesystem::path& directory, std::string_view what,
                        const ReadOptions& options = {});

// A place in an external data file, beside the model.
struct ExternalData {
  std::string file;
  uint64_t offset = 0;
  uint64_t length = 0;
};

// Collects tensors in one external data file: small ones at 64-byte aligned offsets, those of 64 KB and more
// at pages of 4096. Equal content is not looked for. Written under a temporary name; Close renames it.
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

// Writes `graph` to `file` (temporary name, then rename). Nodes come in the order of graph.nodes(), which
// must be topological; initializers nobody reads are left out. `source` is asked for each initializer that is
// written, in the order of their numbers; without one, constants are written inside the file
// (kInvalidArgument past 2 GB). What the source gives is held until the file is written: give large constants
// as ExternalData (see WeightFile). A value's type and shape are written as value_info where known. Errors:
// kInvalidArgument (not topological, a value read that nothing defines, too large), kUnavailable (disk).
Result<void> WriteOnnx(const Graph& graph, const std::filesystem::path& file,
                       const InitializerSource& source = {});

// The same as bytes in memory.
Result<std::string> SerializeOnnx(const Graph& graph, const InitializerSource& source = {});

}  // namespace tessera::graph
