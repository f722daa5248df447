// A small plan for tests: two ranks, one input, one output, two all-reduces.
#pragma once

#include <string>

#include "tessera/plan/plan.h"
#include "tessera/shard/shard.h"

namespace tessera::cli {

inline plan::Plan TestPlan() {
  plan::Plan plan;
  plan.model_name = "toy";
  plan.source_sha256 = std::string(64, 'a');
  plan.strategy = "tensor";
  plan.engine = "openvino";
  plan.mesh = {{"tp", 2}};
  plan.ranks.resize(2);
  for (size_t i = 0; i < 2; ++i) {
    plan.ranks[i].model = {"model.onnx.rank" + std::to_string(i), ByteCount{100}, std::string(64, 'b')};
    plan.ranks[i].weight_bytes = ByteCount{600};
  }
  plan.inputs = {{{"ids", DType::kInt64, {kDynamic, kDynamic}}, {"batch", "sequence"}, {}}};
  plan.outputs = {{{"hidden", DType::kFloat32, {kDynamic, kDynamic, 8}}, {"batch", "sequence", ""}, {}}};
  for (const char* name : {"layer.0", "layer.1"}) {
    plan.collectives.push_back({name,
                                CollectiveOp::kAllReduce,
                                ReduceOp::kSum,
                                "tp",
                                DType::kFloat32,
                                {kDynamic, kDynamic, 8},
                                ByteCount{4096}});
  }
  return plan;
}

// The outcome of sharding it: 1000 bytes of weights, of which 200 are replicated.
inline shard::Outcome TestOutcome() {
  shard::Outcome outcome;
  outcome.plan = TestPlan();
  outcome.weight_bytes = ByteCount{1000};
  outcome.collective_us = {70, 70};
  outcome.machine = "toy machine";
  outcome.reason = "as asked";
  return outcome;
}

}  // namespace tessera::cli
