#include "tessera/build/check.h"

#include <gtest/gtest.h>

#include <functional>

namespace tessera::build {
namespace {

plan::Plan TwoCollectives() {
  plan::Plan plan;
  plan.collectives.resize(2);
  plan.collectives[0].name = "sum";
  plan.collectives[0].op = CollectiveOp::kAllReduce;
  plan.collectives[1].name = "gather";
  plan.collectives[1].op = CollectiveOp::kAllGather;
  return plan;
}

// A rank as it should be: an engine of two profiles.
RankReport Good() {
  RankReport report;
  report.network = {"sum", "gather"};
  report.engine = {{"sum", "comm_allreduce", true},
                   {"gather", "comm_allgather", true},
                   {"sum [profile 1]", "comm_allreduce", false},
                   {"gather [profile 1]", "comm_allgather", false}};
  report.layers_listed = true;
  return report;
}

struct Spoiled {
  std::function<void(RankReport&)> spoil;
  const char* line;
};

class BadEngine : public ::testing::TestWithParam<Spoiled> {};

TEST(CheckCollectives, AnEngineWithThePlansCollectivesIsRight) {
  EXPECT_TRUE(CheckCollectives(TwoCollectives(), {Good(), Good()}));
}

TEST(CheckCollectives, TheCompilerMayOrderThemAnewAlikeOnAllRanks) {
  RankReport other = Good();
  std::swap(other.engine[0], other.engine[1]);
  EXPECT_TRUE(CheckCollectives(TwoCollectives(), {other, other}));
}

TEST(CheckCollectives, WithoutAListOfLayersTheParsedNetworkIsCompared) {
  RankReport silent = Good();
  silent.engine.clear();
  silent.layers_listed = false;
  EXPECT_TRUE(CheckCollectives(TwoCollectives(), {silent, silent}));
  silent.network.pop_back();
  EXPECT_FALSE(CheckCollectives(TwoCollectives(), {silent, silent}));
}

TEST_P(BadEngine, IsNamedWithItsRank) {
  RankReport bad = Good();
  GetParam().spoil(bad);
  const Result<void> checked = CheckCollectives(TwoCollectives(), {Good(), bad});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().message, GetParam().line);
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadEngine,
    ::testing::Values(
        Spoiled{[](RankReport& r) { r.network.pop_back(); },
                "rank 1: the ONNX file has 1 collectives, the plan lists 2"},
        Spoiled{[](RankReport& r) { std::swap(r.network[0], r.network[1]); },
                "rank 1: collective 0 of the ONNX file is 'gather', the plan lists 'sum'"},
        Spoiled{[](RankReport& r) { r.engine.erase(r.engine.begin() + 1); },
                "rank 1: the engine has 1 collectives, and not 'gather' (all_gather) of the plan's 2"},
        Spoiled{[](RankReport& r) { r.engine[1].kind = "comm_alltoall"; },
                "rank 1: collective 'gather' is a comm_alltoall in the engine, all_gather in the plan"},
        Spoiled{[](RankReport& r) {
                  r.engine.push_back({"more", "comm_allreduce", true});
                },
                "rank 1: the engine has 3 collectives, the plan lists 2"},
        Spoiled{[](RankReport& r) { r.engine.push_back(r.engine[0]); },
                "rank 1: the engine has the collective 'sum' twice"},
        Spoiled{[](RankReport& r) { std::swap(r.engine[2], r.engine[3]); },
                "rank 1: collective 2 of the engine is 'gather [profile 1]', rank 0's is 'sum [profile 1]'"},
        Spoiled{[](RankReport& r) { r.engine.pop_back(); },
                "rank 1: collective 3 of the engine is 'none', rank 0's is 'gather [profile 1]'"}));

}  // namespace
}  // namespace tessera::build
