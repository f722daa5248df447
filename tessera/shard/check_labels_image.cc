#include "tessera/shard/check_families.h"

namespace tessera::shard::check {
namespace {

std::optional<Labels> Convolution(const Op& op) {
  if (!op.shaped() || op.rank() < 3) return std::nullopt;
  const int64_t groups = op.node().Int("group", 1);
  const bool transposed = op.node().op_type == "ConvTranspose";
  const std::string window(op.rank() - 2, '.');
  Labels labels;
  if (groups == 1) {
    labels.inputs = {"nc" + window, (transposed ? "co" : "oc") + window};
    labels.outputs = {"no" + window};
    labels.summed = "c";
    labels.linear = {{0}, {1}};
    labels.addends = {2};
    if (op.in(2) != nullptr) labels.inputs.emplace_back("o");
    return labels;
  }
  labels.inputs = {"ng" + window, "g." + window, "g"};
  labels.outputs = {"ng" + window};
  labels.even = "g";
  labels.units = groups;
  labels.divided = {"group"};
  return labels;
}

// Batch and channels pass, the rest is whole; per-channel operands have the channel.
std::optional<Labels> PerImage(const Op& op) {
  if (op.in(0) == nullptr || op.rank() < 2 || op.out(1) != nullptr) return std::nullopt;
  auto labels = Like(op, Range(2, op.rank()));
  for (size_t i = 1; i < op.inputs(); ++i) labels->inputs.emplace_back(op.rank(i) == 1 ? "b" : "");
  return labels;
}

std::optional<Labels> BatchNormalization(const Op& op) {
  auto labels = PerImage(op);
  if (labels && op.node().Int("training_mode", 0) == 0)
    labels->inputs[0] = labels->outputs[0] = Fresh(op.rank());
  if (labels && op.node().Int("training_mode", 0) != 0) return std::nullopt;
  return labels;
}

std::optional<Labels> GroupNormalization(const Op& op) {
  auto labels = PerImage(op);
  if (!labels) return labels;
  labels->even = "b";
  labels->units = op.node().Int("num_groups", 0);
  labels->divided = {"num_groups"};
  return labels;
}

// The block's places are the major part of the depth but in mode CRD, where the channel is: only then a plain
// cut of the one is one of the other.
std::optional<Labels> DepthToSpace(const Op& op) {
  const bool crd = op.node().String("mode", "DCR") == "CRD";
  const int64_t block = op.node().Int("blocksize", 1);
  if (op.in(0) == nullptr || !op.in(0)->has_shape || op.rank() != 4) return std::nullopt;
  Labels labels;
  labels.inputs = {crd ? "nc.." : "n..."};
  labels.outputs = {crd ? "nc.." : "n..."};
  labels.even = "c";
  labels.units = op.in(0)->shape[1] == kDynamic ? 0 : op.in(0)->shape[1] / (block * block);
  return labels;
}

// The same the other way round; the depth's size is the input's times the block's.
std::optional<Labels> SpaceToDepth(const Op& op) {
  const bool crd = op.node().String("mode", "DCR") == "CRD";
  if (op.in(0) == nullptr || !op.in(0)->has_shape || op.rank() != 4) return std::nullopt;
  Labels labels;
  labels.inputs = {crd ? "nc.." : "n..."};
  labels.outputs = labels.inputs;
  labels.even = "c";
  labels.units = op.in(0)->shape[1] == kDynamic ? 0 : op.in(0)->shape[1];
  return labels;
}

}  // namespace

void AddImages(Table& table) {
  table["Conv"] = table["ConvTranspose"] = Convolution;
  for (const char* name : {"MaxPool", "AveragePool", "LpPool", "GlobalAveragePool", "GlobalMaxPool",
                           "GlobalLpPool", "InstanceNormalization"})
    table[name] = PerImage;
  table["BatchNormalization"] = BatchNormalization;
  table["GroupNormalization"] = GroupNormalization;
  table["DepthToSpace"] = DepthToSpace;
  table["SpaceToDepth"] = SpaceToDepth;
}

}  // namespace tessera::shard::check
