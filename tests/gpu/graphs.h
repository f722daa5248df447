// What the ranks' ONNX graphs are made of, and the files that a rank's engine is.
#pragma once

#include <filesystem>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/graph/graph.h"
#include "tessera/plan/plan.h"
#include "tests/nvinfer_standin/plan_file.h"

namespace tessera::gputest {

graph::Graph NewGraph(const char* name);

graph::ValueId AddInput(graph::Graph& graph, const char* name, DType type, const Shape& shape);

graph::Constant HalfConstant(const std::vector<uint16_t>& halves, Shape shape);

// A node with one output, `name`.
graph::ValueId Append(graph::Graph& graph, const char* op, std::vector<graph::ValueId> inputs,
                      const char* name, DType type, const Shape& shape);

// A collective of all ranks, in fp16. `op` and `reduce` as the plug-in's attributes say them
// (plan/dist_collective.h).
graph::ValueId AppendCollective(graph::Graph& graph, graph::ValueId in, const char* name, const Shape& shape,
                                int ranks, const char* op, const char* reduce);

// Writes the graph, and the stand-in's plan of it with these profiles, both in one folder: large weights
// stand in the plan, as they do in TensorRT's, and the graph refers to them.
Result<void> WriteEngine(const graph::Graph& graph, int rank, standin::PlanFile profiles,
                         const std::filesystem::path& onnx, const std::filesystem::path& engine);

// The same under the names of a rank's files in `directory`.
Result<plan::RankPlan> WriteRank(const graph::Graph& graph, int rank, const standin::PlanFile& profiles,
                                 const std::filesystem::path& directory);

}  // namespace tessera::gputest
