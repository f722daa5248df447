// Convolutions: output channels pass, input channels are summed over, windows stay whole.
#include "tessera/shard/notation.h"
#include "tessera/shard/rules/families.h"

namespace tessera::shard {
namespace {

std::optional<Rule> Conv(const OpView& op) {
  if (!op.input(0).has_shape || !op.input(1).has_shape) return std::nullopt;
  const size_t rank = op.input(0).shape.size();
  if (rank < 3 || rank > 5) return std::nullopt;
  const int64_t groups = op.node().Int("group", 1);
  const std::string in = WholeDims(rank - 2, 'A');
  const std::string window = WholeDims(rank - 2, 'H');
  const std::string out = WholeDims(rank - 2, 'T');
  std::optional<Rule> rule;
  if (groups == 1) {
    rule = ReadRule(op, "n c+ " + in + ", o c+ " + window + ", o -> n o " + out);
    if (!rule) return rule;
    if (op.has_input(2)) rule->addends = {2};
    rule->linear = {{0}, {1}};
  } else {
    rule = ReadRule(op, "n (g c!) " + in + ", (g o!) c! " + window + ", (g o!) -> n (g o!) " + out,
                    {{'g', groups}});
    if (!rule) return rule;
    for (size_t f = 0; f < rule->factors.size(); ++f) {
      // Only the group's factor stands first in input channels.
      if (rule->inputs[0][1].front() == static_cast<int>(f)) {
        rule->edits = {{Edit::Kind::kDivideAttribute, 0, static_cast<int>(f), "group"}};
      }
    }
  }
  rule->contraction = true;
  rule->weights = {1};
  return rule;
}

}  // namespace

void AddConvolution(RuleTable& table) {
  table["Conv"] = Conv;
}

}  // namespace tessera::shard
