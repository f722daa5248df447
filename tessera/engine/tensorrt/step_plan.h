// What is known of all steps with the same input shapes.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tessera/base/types.h"
#include "tessera/cuda/graph.h"
#include "tessera/engine/rank_group.h"
#include "tessera/engine/tensorrt/direct_steps.h"
#include "tessera/engine/tensorrt/replication_choice.h"
#include "tessera/engine/tensorrt/shape_values.h"

namespace tessera::engine {

// Input i reaches every rank whole in one of two ways.
enum class Replication {
  kCopies,  // each rank copies its own tensor: small, split, or different on each rank
  kGather,  // each rank copies 1/N of the common tensor over its own PCIe link; an all-gather does the
            // rest
  kOnHost,  // a shape tensor: nothing is copied
};

// How a model's inputs may travel.
struct InputRules {
  GatherSizes gather;              // bytes from which a common tensor is gathered
  std::vector<DeviceId> devices;   // of the ranks
  std::vector<TensorSpec> inputs;  // of the engines
};

struct StepShape {
  std::vector<std::vector<Shape>> inputs;  // [rank][input]
  std::vector<Replication> replication;    // [input]
  HostValues values;                       // [input]; of shape tensors
  auto operator<=>(const StepShape&) const = default;
};

struct StepPlan {
  StepShape shape;
  int profile = 0;
  std::vector<std::vector<Shape>> outputs;  // [rank][output]; kDynamic where it depends on the data
  SlotGraphs graphs;                        // collectives inside; empty: the ranks' threads issue each step
  DirectSteps direct;                       // of captured plans

  bool captured() const { return !graphs.empty(); }
  bool HasDynamicOutputs() const;
  // Whether the engine reads values of inputs on the host. It copies them in enqueueV3: whether a captured
  // step does so again, and from where, TensorRT does not say, and other values use the same context. So such
  // a step is not captured. Source: NvInferRuntime.h, "setTensorAddress".
  bool ReadsHost() const;
};

// Rank 0's shapes, for the log.
std::string DescribeInputs(const StepShape& shape);

// The shapes of `step`, with kGather for every input that is one contiguous piece of memory given to all
// ranks, as large as the rules have it for where it lies. The step passed CheckShapeValues.
StepShape ShapeOf(const Step& step, const InputRules& rules);
// Whether ShapeOf would give `shape`; makes nothing.
bool HasShape(const Step& step, const InputRules& rules, const StepShape& shape);

// Bytes of a gathered tensor that each rank copies; the last rank's part may reach beyond the tensor, so its
// buffer has GatherChunk() * world_size bytes.
size_t GatherChunk(size_t bytes, int world_size);

}  // namespace tessera::engine
