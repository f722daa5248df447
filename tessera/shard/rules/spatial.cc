// Ops on images: batch and channels pass, what a window or a resampling touches stays whole.
#include <algorithm>

#include "tessera/shard/notation.h"
#include "tessera/shard/rules/families.h"

namespace tessera::shard {
namespace {

bool IsImage(const OpView& op) {
  return op.input(0).has_shape && op.input(0).shape.size() >= 3 && op.input(0).shape.size() <= 5;
}

// The indices that MaxPool can give count over the whole tensor: then it stays whole.
std::optional<Rule> Pool(const OpView& op) {
  if (!IsImage(op) || op.outputs() > 1) return std::nullopt;
  const size_t window = op.input(0).shape.size() - 2;
  return ReadRule(op, "n c " + WholeDims(window, 'A') + " -> n c " + WholeDims(window, 'T'));
}

std::optional<Rule> InstanceNorm(const OpView& op) {
  if (!IsImage(op)) return std::nullopt;
  const std::string image = "n c " + WholeDims(op.input(0).shape.size() - 2, 'A');
  return ReadRule(op, image + ", c, c -> " + image);
}

std::optional<Rule> BatchNorm(const OpView& op) {
  if (!op.input(0).has_shape || op.input(0).shape.size() < 2 || op.outputs() > 1) return std::nullopt;
  std::string image = "n c ";
  for (size_t i = 2; i < op.input(0).shape.size(); ++i) image += {static_cast<char>('A' + i), ' '};
  return ReadRule(op, image + ", c, c, c, c -> " + image);
}

// Channels are (group, member); from opset 21 on the scale has one entry a channel, before one a group.
std::optional<Rule> GroupNorm(const OpView& op) {
  const int64_t groups = op.node().Int("num_groups", 0);
  if (!IsImage(op) || groups <= 0) return std::nullopt;
  const std::string image = "n (g c!) " + WholeDims(op.input(0).shape.size() - 2, 'A');
  const std::string scale = op.opset() >= 21 ? "(g c!)" : "g";
  auto rule = ReadRule(op, image + ", " + scale + ", " + scale + " -> " + image, {{'g', groups}});
  if (!rule) return rule;
  const FactorDim& channels = rule->inputs[0][1];
  rule->edits = {{Edit::Kind::kDivideAttribute, 0, channels.front(), "num_groups"}};
  return rule;
}

// Dimensions of one size before and after pass: they are not padded, or not resampled.
std::optional<Rule> SameSizesPass(const OpView& op) {
  if (!op.input(0).has_shape || !op.output(0).has_shape) return std::nullopt;
  const graph::Value& in = op.input(0);
  const graph::Value& out = op.output(0);
  if (in.shape.size() != out.shape.size()) return std::nullopt;
  std::string words;
  for (size_t i = 0; i < in.shape.size(); ++i) {
    words += SameSize(in, i, out, i) ? std::string{static_cast<char>('a' + i), ' '} : ". ";
  }
  std::string text = words;
  for (int i = 1; i < op.inputs(); ++i) text += ", ()";
  return ReadRule(op, text + " -> " + words);
}

// Negative pads can take away what others add: only dimensions whose two pads are zero pass.
std::optional<Rule> Pad(const OpView& op) {
  if (!op.input(0).has_shape) return std::nullopt;
  const size_t rank = op.input(0).shape.size();
  auto pads = op.has_input(1) ? op.Integers(1) : std::optional(op.node().Ints("pads"));
  if (!pads || op.has_input(3) || pads->size() != 2 * rank) return std::nullopt;
  std::vector<int> padded;
  for (size_t i = 0; i < rank; ++i) {
    if ((*pads)[i] != 0 || (*pads)[i + rank] != 0) padded.push_back(static_cast<int>(i));
  }
  return PassThrough(op, padded);
}

std::optional<Rule> Resize(const OpView& op) {
  if (op.node().Find("axes") != nullptr) return std::nullopt;
  auto rule = SameSizesPass(op);
  if (rule && op.has_input(3)) rule->edits = {{Edit::Kind::kShapeOperand, 3, 0, ""}};
  return rule;
}

// Depth is (block, block, channel), or (channel, block, block) in mode CRD.
std::optional<Rule> DepthToSpace(const OpView& op) {
  const int64_t block = op.node().Int("blocksize", 1);
  const bool crd = op.node().String("mode", "DCR") == "CRD";
  const std::string depth = crd ? "(c x! y!)" : "(x! y! c)";
  return ReadRule(op, "n " + depth + " H! W! -> n c T! U!", {{'x', block}, {'y', block}});
}

std::optional<Rule> SpaceToDepth(const OpView& op) {
  const int64_t block = op.node().Int("blocksize", 1);
  const bool crd = op.node().String("mode", "DCR") == "CRD";
  const std::string depth = crd ? "(c x! y!)" : "(x! y! c)";
  return ReadRule(op, "n c H! W! -> n " + depth + " T! U!", {{'x', block}, {'y', block}});
}

}  // namespace

void AddSpatial(RuleTable& table) {
  for (const char* name :
       {"MaxPool", "AveragePool", "LpPool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"}) {
    table[name] = Pool;
  }
  table["InstanceNormalization"] = InstanceNorm;
  table["BatchNormalization"] = BatchNorm;
  table["GroupNormalization"] = GroupNorm;
  table["Pad"] = Pad;
  table["Resize"] = Resize;
  table["DepthToSpace"] = DepthToSpace;
  table["SpaceToDepth"] = SpaceToDepth;
}

}  // namespace tessera::shard
