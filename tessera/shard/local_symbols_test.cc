#include "tessera/shard/local_symbols.h"

#include <gtest/gtest.h>

#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

// ids [batch, sequence], of which a rank has a part of `axis`; mask [batch, sequence], whole.
RankModel TwoInputs(const State& ids) {
  testing::GraphBuilder b;
  const graph::ValueId cut = b.Input("ids", {kDynamic, kDynamic}, {0, 1});
  const graph::ValueId whole = b.Input("mask", {kDynamic, kDynamic}, {0, 1});
  b.graph().symbol_names = {"batch", "sequence"};
  RankModel model;
  model.parts = 2;
  model.graph = std::move(b.graph());
  model.origin = {{cut, {cut, ids}}, {whole, {whole, State::Replicated()}}};
  return model;
}

std::vector<std::string> Names(const RankModel& model, const char* value) {
  std::vector<std::string> names;
  for (const int32_t symbol : model.graph.value(*model.graph.FindValue(value)).symbols)
    names.push_back(model.graph.symbol_names[static_cast<size_t>(symbol)]);
  return names;
}

TEST(NameLocalSizes, ARanksPartHasANameOfItsOwn) {
  RankModel model = TwoInputs(State::Split(1));
  NameLocalSizes(model);
  EXPECT_EQ(Names(model, "ids"), (std::vector<std::string>{"batch", "sequence.part"}));
  EXPECT_EQ(Names(model, "mask"), (std::vector<std::string>{"batch", "sequence"}));
}

TEST(NameLocalSizes, PartsOfTheSameDimensionHaveTheSame) {
  RankModel model = TwoInputs(State::Split(0));
  model.origin.rbegin()->second.second = State::Split(0);
  NameLocalSizes(model);
  EXPECT_EQ(Names(model, "ids"), (std::vector<std::string>{"batch.part", "sequence"}));
  EXPECT_EQ(Names(model, "mask"), Names(model, "ids"));
}

TEST(NameLocalSizes, WhatIsWholeKeepsItsNames) {
  RankModel model = TwoInputs(State::Replicated());
  NameLocalSizes(model);
  EXPECT_EQ(model.graph.symbol_names.size(), 2u);
}

}  // namespace
}  // namespace tessera::shard
