#include "tessera/cli/random_inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/cli/test_plan.h"

namespace tessera::cli {
namespace {

using ::testing::HasSubstr;

std::vector<double> Numbers(const HostTensor& tensor) {
  const ElementAccess access = *AccessOf(tensor.spec.type);
  std::vector<double> numbers;
  for (size_t i = 0; i < tensor.count(); ++i) numbers.push_back(access.read(&tensor.bytes[i * access.bytes]));
  return numbers;
}

TEST(ChooseSizes, NamedBeatsBatchAndLength) {
  auto sizes = ChooseSizes({.batch = 3, .length = 5, .dims = {"sequence=9"}}, TestPlan(), {});
  ASSERT_TRUE(sizes);
  auto inputs = RandomInputs(TestPlan(), *sizes, {}, 1);
  ASSERT_TRUE(inputs);
  EXPECT_EQ(inputs->front().spec.shape, (Shape{3, 9}));
}

TEST(ChooseSizes, DefaultsAreRoundedUpToWhatThePlanWants) {
  plan::Plan plan = TestPlan();
  plan.ranks.resize(3);
  plan.inputs[0].layout = {plan::Layout::Kind::kSplit, 0, Rank{0}};
  plan.inputs[0].multiples = {1, 4};
  auto sizes = ChooseSizes({}, plan, {.batch = 2, .length = 7, .named = {}});
  ASSERT_TRUE(sizes);
  EXPECT_EQ(sizes->batch, 3);
  EXPECT_EQ(sizes->length, 8);
  EXPECT_EQ(ChooseSizes({.batch = 0, .length = 5, .dims = {}}, plan, {})->length, 5);  // as the user says
}

TEST(ChooseSizes, AnUnknownNameTellsTheNamesThereAre) {
  auto sizes = ChooseSizes({.batch = 0, .length = 0, .dims = {"sequnce=9"}}, TestPlan(), {});
  ASSERT_FALSE(sizes);
  EXPECT_EQ(sizes.error().message,
            "--dim 'sequnce=9': no input has a free dimension of this name; there are [batch, sequence]");
}

TEST(ChooseSizes, RefusesSizesThatAreNotPositive) {
  auto sizes = ChooseSizes({.batch = -2, .length = 0, .dims = {}}, TestPlan(), {});
  ASSERT_FALSE(sizes);
  EXPECT_THAT(sizes.error().message, HasSubstr("--batch is -2"));
}

TEST(InputShapes, DimensionsOfOneNameHaveOneSize) {
  plan::Plan plan = TestPlan();
  plan.inputs[0].dim_names = {"n", "n"};
  EXPECT_EQ(InputShapes(plan, {.batch = 2, .length = 7, .named = {}}).front(), (Shape{2, 2}));
  EXPECT_EQ(InputShapes(plan, {.batch = 2, .length = 7, .named = {{"n", 5}}}).front(), (Shape{5, 5}));
}

TEST(RandomInputs, IndexesStayBelowTheirBound) {
  auto inputs = RandomInputs(TestPlan(), {.batch = 8, .length = 64, .named = {}}, {{"ids", 5}}, 7);
  ASSERT_TRUE(inputs);
  EXPECT_THAT(Numbers(inputs->front()),
              ::testing::Each(::testing::AllOf(::testing::Ge(0), ::testing::Lt(5))));
  EXPECT_THAT(Numbers(inputs->front()), ::testing::Contains(4));
}

TEST(RandomInputs, OtherIntegersAreMasksWithAOneInEveryRow) {
  auto inputs = RandomInputs(TestPlan(), {.batch = 16, .length = 5, .named = {}}, {}, 7);
  ASSERT_TRUE(inputs);
  const std::vector<double> mask = Numbers(inputs->front());
  for (size_t row = 0; row < 16; ++row) EXPECT_EQ(mask[row * 5], 1) << row;
  EXPECT_THAT(mask, ::testing::Contains(0));
  EXPECT_THAT(mask, ::testing::Each(::testing::AnyOf(0, 1)));
}

TEST(RandomInputs, FloatsAreBetweenMinusOneAndOne) {
  plan::Plan plan = TestPlan();
  plan.inputs[0].spec.type = DType::kFloat16;
  auto inputs = RandomInputs(plan, {}, {}, 7);
  ASSERT_TRUE(inputs);
  EXPECT_THAT(Numbers(inputs->front()),
              ::testing::Each(::testing::AllOf(::testing::Ge(-1), ::testing::Le(1))));
}

TEST(RandomInputs, AreTheSameForTheSameSeed) {
  const std::map<std::string, int64_t> bounds{{"ids", 1000}};
  const auto first = RandomInputs(TestPlan(), {}, bounds, 7);
  EXPECT_EQ(first->front().bytes, RandomInputs(TestPlan(), {}, bounds, 7)->front().bytes);
  EXPECT_NE(first->front().bytes, RandomInputs(TestPlan(), {}, bounds, 8)->front().bytes);
}

}  // namespace
}  // namespace tessera::cli
