#include "tessera/shard/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/shard/compile.h"
#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard::report {
namespace {

using shard::testing::GraphBuilder;
using ::testing::HasSubstr;
using ::testing::Not;

// Blocks of two products each, over two ranks.
std::string PageOf(int blocks, const std::string& input) {
  GraphBuilder b;
  graph::ValueId x = b.Input(input, {8, 64});
  for (int i = 0; i < blocks; ++i) {
    const std::string block = std::to_string(i);
    x = b.Op("MatMul", {x, b.Weight("up" + block, {64, 256})}, {8, 256});
    x = b.Op("Relu", {x}, {8, 256});
    x = b.Op("MatMul", {x, b.Weight("down" + block, {256, 64})}, {8, 64});
    x = b.Op("Tanh", {x}, {8, 64});
  }
  b.Output(x);
  Options options;
  options.strategy = "tensor";
  const auto compiled = Compile(b.graph(), options);
  EXPECT_TRUE(compiled) << compiled.error().message;
  Outcome outcome;
  outcome.plan.model_name = input;
  outcome.plan.strategy = "tensor";
  outcome.plan.mesh = {{"tp", 2}};
  outcome.plan.ranks.resize(2);
  outcome.plan.collectives = compiled->model.collectives;
  outcome.collective_us = compiled->model.collective_us;
  outcome.taken = compiled->taken;
  outcome.alternatives = compiled->alternatives;
  outcome.pareto = compiled->pareto;
  outcome.plan.predicted_us = compiled->taken.predicted_us;
  return ReportPage(b.graph(), compiled->model, outcome);
}

TEST(ReportPage, DrawsARepeatedBlockOnce) {
  const std::string page = PageOf(6, "x");
  EXPECT_THAT(page, HasSubstr("6 times this block of 5 nodes"));
  EXPECT_THAT(page, HasSubstr("30 nodes run on every rank; 5 are drawn, repeated blocks once."));
  EXPECT_THAT(page, HasSubstr("<td class=\"num\">6</td><td>all_reduce(sum) over tp</td>"));
}

TEST(ReportPage, IsAsLargeForManyBlocksAsForFew) {
  const size_t few = PageOf(200, "x").size();
  EXPECT_LT(PageOf(400, "x").size(), few + 2000);
}

TEST(ReportPage, TakesNothingOfTheModelForMarkup) {
  const std::string page = PageOf(2, "</title><script>alert(1)</script>{{sha}}");
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)"));
}

TEST(ReportPage, NeedsNoNetwork) {
  EXPECT_THAT(PageOf(2, "x"), Not(HasSubstr("http://")));
  EXPECT_THAT(PageOf(2, "x"), Not(HasSubstr("https://")));
}

}  // namespace
}  // namespace tessera::shard::report
