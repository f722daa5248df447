#include "tessera/cli/verify.h"

#include <cstring>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tessera::cli {
namespace {

using ::testing::HasSubstr;

HostTensor Floats(const char* name, Shape shape, std::vector<float> values) {
  HostTensor tensor = *MakeTensor({name, DType::kFloat32, std::move(shape)});
  std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

// A model "x" [-1,2] -> "y" made of a function on the floats of x.
class FakeRunner : public Runner {
 public:
  using Function = std::function<std::vector<float>(const std::vector<float>&)>;
  explicit FakeRunner(Function function) : function_(std::move(function)) {
    plan_.inputs = {{{"x", DType::kFloat32, {kDynamic, 2}}, {"batch", ""}, {}}};
    plan_.outputs = {{{"y", DType::kFloat32, {kDynamic, 2}}, {"batch", ""}, {}}};
  }
  const plan::Plan& plan() const override { return plan_; }
  Result<const std::vector<HostTensor>*> Run(std::span<const HostTensor> inputs) override {
    std::vector<float> values(inputs[0].count());
    std::memcpy(values.data(), inputs[0].bytes.data(), inputs[0].bytes.size());
    outputs_ = {Floats("y", inputs[0].spec.shape, function_(values))};
    return &outputs_;
  }

  plan::Plan plan_;

 private:
  Function function_;
  std::vector<HostTensor> outputs_;
};

std::vector<float> Double(std::vector<float> values) {
  for (float& value : values) value *= 2;
  return values;
}

// Every element gets the sum of all added: rows see each other.
std::vector<float> AddSum(std::vector<float> values) {
  float sum = 0;
  for (float value : values) sum += value;
  for (float& value : values) value += sum;
  return values;
}

const std::vector<Inputs> kCases{{Floats("x", {1, 2}, {1, 2})}, {Floats("x", {2, 2}, {1, 2, 3, 4})}};

TEST(VerifyOutputs, EqualModelsAreOk) {
  FakeRunner sharded(Double);
  FakeRunner whole(Double);
  auto checks = VerifyOutputs(sharded, whole, kCases, 0);
  ASSERT_TRUE(checks);
  EXPECT_TRUE(AllOk(*checks));
  EXPECT_EQ(checks->front().name, "y");
}

TEST(VerifyOutputs, ReportsTheWorstCase) {
  FakeRunner sharded([](const std::vector<float>& values) {
    std::vector<float> doubled = Double(values);
    if (values.size() > 2) doubled[3] += 1;  // only the second case is wrong
    return doubled;
  });
  FakeRunner whole(Double);
  auto checks = VerifyOutputs(sharded, whole, kCases, 0.1);
  ASSERT_TRUE(checks);
  EXPECT_FALSE(AllOk(*checks));
  EXPECT_FLOAT_EQ(static_cast<float>(checks->front().worst.max_abs), 1);
  EXPECT_FLOAT_EQ(static_cast<float>(checks->front().worst.max_rel), 0.125);
  EXPECT_TRUE(AllOk(*VerifyOutputs(sharded, whole, kCases, 0.2)));
}

TEST(VerifyOutputs, NamesAnInputOrOutputThatOnlyOneModelHas) {
  FakeRunner sharded(Double);
  FakeRunner whole(Double);
  whole.plan_.inputs[0].spec.name = "z";
  auto input = VerifyOutputs(sharded, whole, kCases, 0);
  ASSERT_FALSE(input);
  EXPECT_EQ(input.error().message, "the unsharded model wants an input 'z', the sharded one has none");
  whole.plan_.inputs[0].spec.name = "x";
  sharded.plan_.outputs[0].spec.name = "w";
  auto output = VerifyOutputs(sharded, whole, kCases, 0);
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().message, "the unsharded model has no output 'w'");
}

TEST(VerifyRows, FindsRowsThatInfluenceEachOther) {
  FakeRunner apart(Double);
  FakeRunner together(AddSum);
  EXPECT_TRUE(AllOk(*VerifyRows(apart, kCases[1], 0)));
  EXPECT_FALSE(AllOk(*VerifyRows(together, kCases[1], 1e-3)));
}

TEST(OrderInputs, TakesThemByNameAndRefusesMisfits) {
  FakeRunner model(Double);
  EXPECT_TRUE(OrderInputs(model.plan(), kCases[1]));
  auto missing = OrderInputs(model.plan(), {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "no array 'x' for the input of that name");
  auto shape = OrderInputs(model.plan(), {Floats("x", {1, 3}, {1, 2, 3})});
  ASSERT_FALSE(shape);
  EXPECT_EQ(shape.error().message, "array 'x' is FP32 [1,3], the input wants FP32 [-1,2]");
  auto extra = OrderInputs(model.plan(), {kCases[0][0], Floats("q", {1}, {1})});
  ASSERT_FALSE(extra);
  EXPECT_EQ(extra.error().message, "array 'q' is no input of the model");
}

}  // namespace
}  // namespace tessera::cli
