#include "tessera/graph/half.h"

#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include "tessera/base/element.h"
#include "tessera/graph/element_types.h"

namespace tessera::graph {
namespace {

class Half : public testing::Test {
 protected:
  ValueId Input(const char* name, DType type = DType::kFloat32) {
    const ValueId id = graph_.AddValue(name, type, {2});
    graph_.inputs().push_back(id);
    return id;
  }

  ValueId Weights(std::vector<float> values) {
    const Bytes bytes = std::as_bytes(std::span(values));
    const auto count = static_cast<int64_t>(values.size());
    return graph_.AddConstant("w", Constant::OfBytes(DType::kFloat32, {count}, {bytes.begin(), bytes.end()}));
  }

  ValueId Apply(const char* op, std::vector<ValueId> inputs, DType type = DType::kFloat32) {
    Node node;
    node.name = node.op_type = op;
    node.inputs = std::move(inputs);
    node.outputs = {graph_.AddValue(op, type, {2})};
    const ValueId output = node.outputs.front();
    graph_.AddNode(std::move(node));
    return output;
  }

  // "Cast(x) Add(x.fp16, w.fp16)": the nodes in their order, and what they read.
  std::string Convert(DType type = DType::kFloat16) {
    auto report = ToHalf(graph_, type);
    if (!report) return report.error().message;
    report_ = *report;
    std::string text;
    for (const Node& node : graph_.nodes()) {
      text += (text.empty() ? "" : " ") + node.op_type + "(";
      for (const ValueId input : node.inputs)
        text += (text.back() == '(' ? "" : ", ") + graph_.value(input).name;
      text += ")";
    }
    return text;
  }

  std::vector<double> Elements(const char* name) {
    const Constant& constant = *graph_.value(*graph_.FindValue(name)).constant;
    const ElementAccess access = *AccessOf(constant.type);
    std::vector<double> elements;
    for (size_t at = 0; at < constant.bytes.size(); at += access.bytes)
      elements.push_back(access.read(constant.bytes.data() + at));
    return elements;
  }

  DType TypeOf(const char* name) { return graph_.value(*graph_.FindValue(name)).type; }

  Graph graph_;
  HalfReport report_;
};

TEST_F(Half, InputsAndOutputsStayAndAllBetweenIsFp16) {
  graph_.outputs() = {Apply("Relu", {Apply("Add", {Input("x"), Weights({0.5F, 1})})})};
  EXPECT_EQ(Convert(), "Cast(x) Add(x.fp16, w.fp16) Relu(Add) Cast(Relu.fp16)");
  EXPECT_EQ(TypeOf("x"), DType::kFloat32);
  EXPECT_EQ(TypeOf("Add"), DType::kFloat16);
  EXPECT_EQ(TypeOf("Relu"), DType::kFloat32);
  EXPECT_EQ(graph_.node(NodeId{3}).Int("to", 0), ToOnnxType(DType::kFloat32));
  EXPECT_EQ(Elements("w.fp16"), (std::vector<double>{0.5, 1}));
  EXPECT_EQ(report_, (HalfReport{.nodes_in_half = 2, .nodes_in_full = 0, .clamped = 0}));
}

TEST_F(Half, AnOutputThatIsReadInsideIsReadInBothTypes) {
  const ValueId sum = Apply("Add", {Input("x"), Input("y")});
  graph_.outputs() = {sum, Apply("Exp", {sum}), Apply("Neg", {sum})};
  EXPECT_EQ(Convert(),
            "Cast(x) Cast(y) Add(x.fp16, y.fp16) Cast(Add.fp16) Exp(Add) Neg(Add.fp16) Cast(Neg.fp16)");
}

TEST_F(Half, FiniteElementsBeyondTheRangeAreClampedAndCounted) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Apply("Mul", {Input("x"), Weights({-3.4e38F, 1e6F, 65504, -kInfinity})});
  Convert();
  EXPECT_EQ(Elements("w.fp16"), (std::vector<double>{-65504, 65504, 65504, -kInfinity}));
  EXPECT_EQ(report_.clamped, 2);
}

TEST_F(Half, Bf16KeepsTheRange) {
  Apply("Mul", {Input("x"), Weights({-3.4e38F, 1e38F, 257})});
  EXPECT_EQ(Convert(DType::kBFloat16), "Cast(x) Mul(x.bf16, w.bf16)");
  EXPECT_EQ(graph_.node(NodeId{0}).Int("to", 0), ToOnnxType(DType::kBFloat16));
  EXPECT_EQ(TypeOf("Mul"), DType::kBFloat16);
  const std::vector<double> elements = Elements("w.bf16");
  EXPECT_EQ(elements[0], -0x1.FEp127) << "not infinity, to which it would round";
  EXPECT_NEAR(elements[1], 1e38, 1e38 / 256);
  EXPECT_EQ(elements[2], 256);
  EXPECT_EQ(report_.clamped, 1);
}

TEST_F(Half, WhatTensorRtDoesNotHaveInBf16GoesOnInFp32) {
  Apply("Neg", {Apply("HardSwish", {Apply("Abs", {Input("x")})})});
  EXPECT_EQ(Convert(DType::kBFloat16),
            "Cast(x) Abs(x.bf16) Cast(Abs) HardSwish(Abs.fp32) Cast(HardSwish) Neg(HardSwish.bf16)");
}

TEST_F(Half, AnotherTypeIsRefused) {
  Apply("Neg", {Input("x")});
  EXPECT_EQ(Convert(DType::kInt8), "FP32 cannot become INT8, wanted FP16 or BF16");
}

TEST_F(Half, VariancesAreComputedInFp32WithTheirEpsilon) {
  const ValueId x = Input("x");
  const ValueId mean = Apply("ReduceMean", {Apply("Mul", {x, x})});
  const ValueId root = Apply("Sqrt", {Apply("Add", {mean, Weights({1e-12F})})});
  Apply("Div", {x, root});
  EXPECT_EQ(
      Convert(),
      "Mul(x, x) ReduceMean(Mul) Add(ReduceMean, w) Sqrt(Add) Cast(x) Cast(Sqrt) Div(x.fp16, Sqrt.fp16)");
}

TEST_F(Half, AnglesAndIndexesAreComputedInFp32) {
  const ValueId position = Apply("Cast", {Input("n", DType::kInt64)});
  Apply("Cos", {Apply("Mul", {position, Weights({0.1F})})});
  Apply("Cast", {Apply("Div", {position, Weights({2})})}, DType::kInt64);
  EXPECT_EQ(Convert(), "Cast(n) Mul(Cast, w) Cos(Mul) Div(Cast, w_1) Cast(Div)");
  EXPECT_EQ(report_.nodes_in_half, 0);
}

TEST_F(Half, PositionsThatAreComparedStayFp32AndActivationsDoNot) {
  const ValueId position = Apply("Cast", {Input("n", DType::kInt64)});
  Apply("Less", {Apply("Sub", {position, Weights({1})}), Weights({0})}, DType::kBool);
  Apply("Less", {Apply("Mul", {Input("x"), Weights({2})}), Weights({0})}, DType::kBool);
  EXPECT_EQ(
      Convert(DType::kBFloat16),
      "Cast(n) Sub(Cast, w) Less(Sub, w_1) Cast(x) Mul(x.bf16, w_2.bf16) Cast(Mul) Less(Mul.fp32, w_3)");
}

TEST_F(Half, CollectivesAreCarriedInFp16) {
  Apply("DistCollective", {Apply("MatMul", {Input("x"), Weights({1, 2})})});
  EXPECT_EQ(Convert(), "Cast(x) MatMul(x.fp16, w.fp16) DistCollective(MatMul)");
  EXPECT_EQ(TypeOf("DistCollective"), DType::kFloat16);
}

TEST_F(Half, IntegersAreLeftAlone) {
  const ValueId n = Input("n", DType::kInt64);
  Apply("Add", {n, n}, DType::kInt64);
  EXPECT_EQ(Convert(), "Add(n, n)");
  EXPECT_EQ(report_, HalfReport{});
}

TEST_F(Half, AValueWithoutATypeIsNamed) {
  Apply("Relu", {Input("x")}, DType::kUndefined);
  EXPECT_EQ(Convert(), "node 'Relu' (Relu): the type of its output 'Relu' is not known");
}

}  // namespace
}  // namespace tessera::graph
