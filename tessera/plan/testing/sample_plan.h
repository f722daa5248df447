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

}  // namespace tessera::plan
