// A valid plan with everything in it, for tests.
#pragma once

#include <string>

#include "tessera/plan/plan.h"

namespace tessera::plan {

inline Plan SamplePlan() {
  const std::string digits(64, 'a');
  Plan plan;
  plan.model_name = "mlp";
  plan.source_sha256 = std::string(64, '0');
  plan.strategy = "tensor";
  plan.engine = "openvino";
  plan.mesh = {{"tp", 2}};
  for (const char* rank : {"0", "1"}) {
    RankPlan part;
    part.model = {std::string("model.onnx.rank") + rank, ByteCount{100}, digits};
    part.weights = {{std::string("weights.rank") + rank, ByteCount{4096}, digits},
                    {"weights.shared", ByteCount{64}, digits}};
    part.weight_bytes = ByteCount{4160};
    plan.ranks.push_back(part);
  }
  plan.inputs = {{{"x", DType::kFloat32, {kDynamic, 8}}, {"batch", ""}, {}},
                 {{"y", DType::kInt64, {4, 6}}, {"", ""}, {Layout::Kind::kSplit, 1, Rank{0}}}};
  plan.outputs = {{{"z", DType::kFloat16, {}}, {}, {Layout::Kind::kRank, 0, Rank{1}}}};
  plan.collectives = {
      {"sum0",
       CollectiveOp::kAllReduce,
       ReduceOp::kSum,
       "tp",
       DType::kFloat32,
       {kDynamic, 8},
       ByteCount{256}},
      {"gather1", CollectiveOp::kAllGather, ReduceOp::kNone, "tp", DType::kInt32, {3}, ByteCount{12}}};
  plan.predicted_us = 12.5;
  return plan;
}

// The same after `tessera build`.
inline Plan SampleBuiltPlan() {
  Plan plan = SamplePlan();
  plan.engine = "tensorrt";
  Build build;
  build.library = "tensorrt_rtx";
  build.version = "1.7.1";
  build.compute_capabilities = {"8.0", "12.0"};
  build.tf32 = false;
  build.half = DType::kFloat16;
  build.profiles = {{{"x", {1, 8}, {8, 8}, {64, 8}}}, {{"x", {64, 8}, {64, 8}, {64, 8}}}};
  for (RankPlan& rank : plan.ranks) {
    build.sources.push_back({rank.model, rank.weights});
    rank.model.file.replace(0, std::string("model.onnx").size(), "model.plan");
    rank.weights.clear();
  }
  plan.build = std::move(build);
  return plan;
}

// The same with a recorded probe: x of 2 rows, y, and z, each from a multiple of 64 bytes.
inline Plan SampleProbedPlan() {
  Plan plan = SamplePlan();
  plan.inputs[1].index_bound = 1000;
  plan.probe = Probe{
      {"probe.bin", ByteCount{64 + 192 + 2}, std::string(64, 'b')}, "model", {{2, 8}, {4, 6}}, {{}}, {5e-3}};
  return plan;
}

}  // namespace tessera::plan
