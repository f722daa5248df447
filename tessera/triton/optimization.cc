#include "tessera/triton/optimization.h"

#include <fmt/core.h>

#include <algorithm>

#include "tessera/triton/json_fields.h"

namespace tessera::triton {
namespace {

using nlohmann::json;

struct Idle {
  const char* path;  // below `optimization`
  json unset;        // what the server fills in where the user said nothing
  const char* reason;
};

// A graph belongs to one shape: the bound below it would run other shapes on memory that they do not fill.
constexpr const char* kLowerBound =
    "optimization.cuda.graph_spec.graph_lower_bound has no effect: every shape is captured by itself";

const std::vector<Idle>& IdleKeys() {
  static const std::vector<Idle> kKeys = {
      {"/cuda/busy_wait_events", false, "the end of a step is always waited for without sleeping"},
      {"/cuda/output_copy_stream", false, "outputs are copied in the order of the steps"},
      {"/eager_batching", false, "when inputs are copied is not configured"},
      {"/gather_kernel_buffer_threshold", 0, "requests' inputs are put together by copies, not by a kernel"},
      {"/input_pinned_memory/enable", true,
       "host memory that is not pinned always goes through pinned memory"},
      {"/output_pinned_memory/enable", true,
       "host memory that is not pinned always goes through pinned memory"},
      {"/execution_accelerators", json::object(), "an engine was optimised when it was built"},
      {"/graph", json::object(), "an engine was optimised when it was built"}};
  return kKeys;
}

std::string Dotted(std::string path) {
  for (char& c : path) {
    if (c == '/') c = '.';
  }
  return "optimization" + path;
}

// The server writes 64-bit numbers as strings.
bool IsUnset(const json& value, const json& unset) {
  if (value.is_null() || (value.is_structured() && value.empty())) return true;
  return value.is_string() && unset.is_number() ? ReadNumber(value) == unset : value == unset;
}

GraphSpec ReadSpec(const json& written) {
  GraphSpec spec;
  const json& batch = Field(written, "batch_size");
  if (!batch.is_null()) spec.batch_size = ReadNumber(batch);
  for (const auto& [name, shape] : Field(written, "input").items()) {
    spec.inputs[name] = ReadShape(Field(shape, "dim"));
  }
  return spec;
}

}  // namespace

Optimization ReadOptimization(const json& config) {
  Optimization optimization;
  const json& written = Field(config, "optimization");
  if (written.is_null()) return optimization;
  optimization.least_priority = written.value("priority", std::string()) == "PRIORITY_MIN";
  const json& cuda = Field(written, "cuda");
  if (cuda.is_null()) return optimization;
  optimization.cuda_graphs = cuda.value("graphs", false);
  if (!*optimization.cuda_graphs) return optimization;
  for (const json& spec : Field(cuda, "graph_spec")) optimization.graph_specs.push_back(ReadSpec(spec));
  return optimization;
}

Result<void> CheckGraphSpecs(const Optimization& optimization, int64_t max_batch_size) {
  for (const GraphSpec& spec : optimization.graph_specs) {
    const int64_t batch = spec.batch_size;
    const bool fits = max_batch_size == 0 ? batch == 0 : batch >= 1 && batch <= max_batch_size;
    if (fits) continue;
    return Fail(Code::kInvalidArgument,
                "optimization.cuda.graph_spec has batch_size {}, max_batch_size is {}", batch,
                max_batch_size);
  }
  return {};
}

std::vector<std::string> OptimizationWithoutEffect(const json& config) {
  std::vector<std::string> lines;
  const json& written = Field(config, "optimization");
  if (written.is_null()) return lines;
  for (const Idle& key : IdleKeys()) {
    const json::json_pointer path{std::string(key.path)};
    if (!written.contains(path) || IsUnset(written[path], key.unset)) continue;
    lines.push_back(fmt::format("{} has no effect: {}", Dotted(key.path), key.reason));
  }
  const json& cuda = Field(written, "cuda");
  if (cuda.is_null()) return lines;
  for (const json& spec : Field(cuda, "graph_spec")) {
    if (!cuda.value("graphs", false)) {
      lines.emplace_back("optimization.cuda.graph_spec has no effect: optimization.cuda.graphs is false");
      break;
    }
    if (!Given(spec, "graph_lower_bound")) continue;
    lines.emplace_back(kLowerBound);
    break;
  }
  return lines;
}

Result<Shape> ShapeInGraph(const GraphSpec& spec, const std::string& name, const Shape& declared) {
  Shape shape = declared;
  const size_t first = spec.batch_size > 0 ? 1 : 0;
  if (first == 1 && !shape.empty()) shape[0] = spec.batch_size;
  if (auto given = spec.inputs.find(name); given != spec.inputs.end()) {
    shape.resize(std::min(first, shape.size()));
    shape.insert(shape.end(), given->second.begin(), given->second.end());
  }
  if (IsStatic(shape)) return shape;
  return Fail(Code::kInvalidArgument,
              "optimization.cuda.graph_spec gives no sizes for input '{}', which is {}", name,
              ToString(declared));
}

}  // namespace tessera::triton
