#include "tessera/cli/shard_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/cli/test_plan.h"

namespace tessera::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ShardJson, HasTheDocumentedKeysInOrder) {
  EXPECT_EQ(
      ShardJson(TestOutcome()).dump(),
      R"({"model":"toy","ranks":2,"strategy":"tensor","weight_bytes":1000,"rank_weight_bytes":[600,600],)"
      R"("collectives":[{"op":"all_reduce","axis":"tp","bytes":4096,"name":"layer.0","predicted_us":70.0},)"
      R"({"op":"all_reduce","axis":"tp","bytes":4096,"name":"layer.1","predicted_us":70.0}],"predicted_us":0.0,"machine":"toy machine",)"
      R"("reason":"as asked",)"
      R"("alternatives":[],"pareto":[],"search":{"exact":true,"cost":0.0,"lower_bound":0.0}})");
}

TEST(ShardJson, TellsPricesAndWhyAStrategyIsNone) {
  shard::Outcome outcome = TestOutcome();
  shard::Alternative data;
  data.strategy = "data";
  data.refused = "no batch";
  shard::Alternative tensor;
  tensor.strategy = "tensor";
  tensor.predicted_us = 12;
  tensor.rank_weight_bytes = ByteCount{600};
  outcome.alternatives = {tensor, data};
  const auto json = ShardJson(outcome);
  EXPECT_EQ(json["alternatives"].dump(),
            R"([{"strategy":"tensor","predicted_us":12.0,"rank_weight_bytes":600},)"
            R"({"strategy":"data","refused":"no batch"}])");
}

TEST(ShardSummary, SaysHowFarThePlanMayBeFromTheBest) {
  shard::Outcome outcome = TestOutcome();
  EXPECT_THAT(ShardSummary(outcome), Not(HasSubstr("search")));
  outcome.taken.search = {false, 200, 150};
  EXPECT_THAT(ShardSummary(outcome), HasSubstr("at most 25.0 % of the plan's cost could be saved"));
}

TEST(ShardSummary, TellsWhatIsSplitAndWhatReplicated) {
  const std::string text = ShardSummary(TestOutcome());
  EXPECT_THAT(text, HasSubstr("toy: tensor over 2 ranks, engine openvino\n"));
  EXPECT_THAT(text, HasSubstr("600 B a rank, 60.0 % of the whole model's 1000 B"));
  EXPECT_THAT(text, HasSubstr("800 B split over the ranks, 200 B replicated on each"));
  EXPECT_THAT(text, HasSubstr("2 x all_reduce(sum) over tp, 8.0 KiB a step"));
  EXPECT_THAT(text, HasSubstr("because      as asked"));
}

TEST(ShardSummary, OfOneRankHasNothingReplicated) {
  shard::Outcome outcome = TestOutcome();
  outcome.plan.ranks.resize(1);
  outcome.plan.collectives.clear();
  outcome.weight_bytes = ByteCount{600};
  const std::string text = ShardSummary(outcome);
  EXPECT_THAT(text, HasSubstr("100.0 % of the whole"));
  EXPECT_THAT(text, HasSubstr("0 B replicated"));
  EXPECT_THAT(text, HasSubstr("collectives  none"));
}

}  // namespace
}  // namespace tessera::cli
