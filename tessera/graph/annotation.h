// ONNX's own multi-device annotations (IR 11 and newer): how many devices a model is meant for, and how the
// tensors of its nodes are cut over them. Source: onnx.proto, DeviceConfigurationProto and
// NodeDeviceConfigurationProto.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/graph/graph.h"

namespace tessera::graph {

// Names and numbers of devices that a model may be run on.
struct DeviceConfiguration {
  std::string name;
  int64_t devices = 0;
  bool operator==(const DeviceConfiguration&) const = default;
};

// A factor of a dimension, cut into `shards` pieces (1: not cut). `size` is kDynamic where the annotation
// gives a name or nothing.
struct ShardedFactor {
  int64_t size = 0;
  int64_t shards = 1;
  bool operator==(const ShardedFactor&) const = default;
};

struct ShardedAxis {
  int64_t axis = 0;                    // negative: from the back
  std::vector<ShardedFactor> factors;  // of the dimension, major first; mostly one
  bool operator==(const ShardedAxis&) const = default;
};

// One input or output of a node.
struct ShardedTensor {
  std::string tensor;
  std::vector<int64_t> devices;                    // that hold it, piece by piece; or numbers of groups
  std::map<int64_t, std::vector<int64_t>> groups;  // of devices that hold the same piece
  std::vector<ShardedAxis> axes;                   // none: every device holds the whole
  bool operator==(const ShardedTensor&) const = default;
};

struct NodeSharding {
  std::string configuration;
  bool pipelined = false;  // a pipeline stage is given
  std::vector<ShardedTensor> tensors;
  bool operator==(const NodeSharding&) const = default;
};

// What the model brings. Errors: kInvalidArgument (a field that must be there is not).
Result<std::vector<DeviceConfiguration>> DeviceConfigurations(const Graph& graph);
Result<std::vector<NodeSharding>> ShardingsOf(const Node& node);

// "node 'x'" or "function 'f'" of the first annotation inside a subgraph or a function; "" = there is none.
std::string HiddenAnnotation(const Graph& graph);

// Copies the model `from` to `to` with `configuration` and, by name of an output of a node, what its inputs
// and outputs are like; tensors that a node does not have are left out. Annotations of a configuration of the
// same name are replaced; everything else, weights and their external data included, stays as it is, byte by
// byte (the IR version becomes 11 where it was older). External data is found beside the model: where `from`
// has some, `to` must lie in the same directory. Errors: kNotFound, kInvalidArgument (not ONNX, another
// directory), kUnavailable.
Result<void> AnnotateOnnx(const std::filesystem::path& from, const std::filesystem::path& to,
                          const DeviceConfiguration& configuration,
                          const std::map<std::string, std::vector<ShardedTensor>>& by_output);

}  // namespace tessera::graph
