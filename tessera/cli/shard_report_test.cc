#include "tessera/cli/shard_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/cli/test_plan.h"

namespace tessera::cli {
namespace {

using testing::HasSubstr;

TEST(ShardJson, HasTheDocumentedKeysInOrder) {
  EXPECT_EQ(
      ShardJson(TestOutcome()).dump(),
      R"({"model":"toy","ranks":2,"strategy":"tensor","weight_bytes":1000,"rank_weight_bytes":[600,600],)"
      R"("collectives":[{"op":"all_reduce","axis":"tp","bytes":4096,"name":"layer.0"},)"
      R"({"op":"all_reduce","axis":"tp","bytes":4096,"name":"layer.1"}],"predicted_us":0.0,"reason":"as asked"})");
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
