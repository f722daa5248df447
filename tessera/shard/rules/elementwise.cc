// Elementwise ops with numpy broadcasting: aligned dimensions hang together, a dimension of size 1 is free.
#include "tessera/shard/notation.h"
#include "tessera/shard/rules/families.h"

namespace tessera::shard {
namespace {

std::optional<Rule> Broadcast(const OpView& op) {
  std::string text = "*";
  for (int i = 1; i < op.inputs(); ++i) text += ", *";
  return ReadRule(op, text + " -> *");
}

// A RuleMaker that adds the sets of inputs in which the op is linear.
RuleMaker Linear(std::vector<std::vector<int>> sets) {
  return [sets = std::move(sets)](const OpView& op) {
    auto rule = Broadcast(op);
    if (rule) rule->linear = sets;
    return rule;
  };
}

// Dividing integers rounds: only a quotient of floats is linear.
std::optional<Rule> Quotient(const OpView& op) {
  auto rule = Broadcast(op);
  if (rule && IsFloat(op.output(0).type)) rule->linear = {{0}};
  return rule;
}

std::optional<Rule> Sum(const OpView& op) {
  auto rule = Broadcast(op);
  if (!rule) return rule;
  std::vector<int> all;
  for (int i = 0; i < op.inputs(); ++i) all.push_back(i);
  rule->linear = {all};
  return rule;
}

// The bounds of Clip are scalars; so are slopes of activations written as inputs.
std::optional<Rule> FirstInputOnly(const OpView& op) {
  return PassThrough(op);
}

}  // namespace

void AddElementwise(RuleTable& table) {
  for (const char* name :
       {"Abs",        "Acos",      "Acosh",  "Asin",    "Asinh",       "Atan",       "Atanh",
        "BitwiseNot", "Cast",      "Ceil",   "Celu",    "Cos",         "Cosh",       "Elu",
        "Erf",        "Exp",       "Floor",  "Gelu",    "HardSigmoid", "HardSwish",  "IsInf",
        "IsNaN",      "LeakyRelu", "Log",    "Mish",    "Not",         "Reciprocal", "Relu",
        "Round",      "Selu",      "Shrink", "Sigmoid", "Sign",        "Sin",        "Sinh",
        "Softplus",   "Softsign",  "Sqrt",   "Swish",   "Tan",         "Tanh",       "ThresholdedRelu"}) {
    table[name] = Broadcast;
  }
  for (const char* name :
       {"And", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Equal", "Greater", "GreaterOrEqual",
        "Less", "LessOrEqual", "Max", "Mean", "Min", "Mod", "Or", "Pow", "PRelu", "Xor"}) {
    table[name] = Broadcast;
  }
  table["Identity"] = table["Neg"] = Linear({{0}});
  table["Add"] = table["Sub"] = Linear({{0, 1}});
  table["Mul"] = Linear({{0}, {1}});
  table["Div"] = Quotient;
  table["Where"] = Linear({{1, 2}});
  table["Sum"] = Sum;
  table["Clip"] = FirstInputOnly;
}

}  // namespace tessera::shard
