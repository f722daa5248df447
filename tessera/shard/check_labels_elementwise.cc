#include <numeric>
#include <utility>

#include "tessera/shard/check_families.h"

namespace tessera::shard::check {
namespace {

using graph::Value;

std::optional<Labels> Elementwise(const Op& op) {
  if (!op.shaped() || op.out(0) == nullptr || !op.out(0)->has_shape || op.node().outputs.size() != 1)
    return std::nullopt;
  Labels labels;
  labels.outputs = {Fresh(op.out(0)->shape.size())};
  for (size_t i = 0; i < op.inputs(); ++i)
    labels.inputs.push_back(op.in(i) == nullptr ? "" : Aligned(*op.in(i), *op.out(0), labels.outputs[0]));
  return labels;
}

constexpr const char* kNotLinear[] = {"Abs",
                                      "Acos",
                                      "Acosh",
                                      "Asin",
                                      "Asinh",
                                      "Atan",
                                      "Atanh",
                                      "BitwiseNot",
                                      "Cast",
                                      "CastLike",
                                      "Ceil",
                                      "Celu",
                                      "Cos",
                                      "Cosh",
                                      "Elu",
                                      "Erf",
                                      "Exp",
                                      "Floor",
                                      "Gelu",
                                      "HardSigmoid",
                                      "HardSwish",
                                      "IsInf",
                                      "IsNaN",
                                      "LeakyRelu",
                                      "Log",
                                      "Mish",
                                      "Not",
                                      "Reciprocal",
                                      "Relu",
                                      "Round",
                                      "Selu",
                                      "Shrink",
                                      "Sigmoid",
                                      "Sign",
                                      "Sin",
                                      "Sinh",
                                      "Softplus",
                                      "Softsign",
                                      "Sqrt",
                                      "Swish",
                                      "Tan",
                                      "Tanh",
                                      "ThresholdedRelu",
                                      "And",
                                      "BitShift",
                                      "BitwiseAnd",
                                      "BitwiseOr",
                                      "BitwiseXor",
                                      "Equal",
                                      "Greater",
                                      "GreaterOrEqual",
                                      "Less",
                                      "LessOrEqual",
                                      "Max",
                                      "Mean",
                                      "Min",
                                      "Mod",
                                      "Or",
                                      "Pow",
                                      "PRelu",
                                      "Xor",
                                      "Clip"};

Maker LinearIn(std::vector<std::vector<int>> sets) {
  return [sets = std::move(sets)](const Op& op) {
    auto labels = Elementwise(op);
    if (labels) labels->linear = sets;
    return labels;
  };
}

}  // namespace

void AddElementwise(Table& table) {
  for (const char* name : kNotLinear) table[name] = Elementwise;
  table["Identity"] = table["Neg"] = LinearIn({{0}});
  table["Add"] = table["Sub"] = LinearIn({{0, 1}});
  table["Mul"] = LinearIn({{0}, {1}});
  table["Where"] = LinearIn({{1, 2}});
  table["Div"] = [](const Op& op) {
    const Value* a = op.in(0);
    return LinearIn(a != nullptr && IsFloat(a->type) ? std::vector<std::vector<int>>{{0}}
                                                     : std::vector<std::vector<int>>{})(op);
  };
  table["Sum"] = [](const Op& op) {
    std::vector<int> all(op.inputs());
    std::iota(all.begin(), all.end(), 0);
    return LinearIn({all})(op);
  };
}

}  // namespace tessera::shard::check
