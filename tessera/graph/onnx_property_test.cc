// Properties over many models: a second round trip changes nothing; damaged models never do worse than an
// error.
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include "tessera/graph/onnx.h"
#include "tessera/graph/test_models.h"

namespace tessera::graph {
namespace {

// A chain of operators with attributes, optional inputs, constants and a subgraph here and there.
pb::ModelProto RandomModel() {
  pb::ModelProto model = testing::SmallModel();
  auto& graph = *model.mutable_graph();
  model.set_ir_version(*rc::gen::inRange<int64_t>(3, kNewestIrVersion + 1));
  std::string last = "h";
  const int length = *rc::gen::inRange(0, 12);
  for (int i = 0; i < length; ++i) {
    const std::string next = "v" + std::to_string(i);
    auto node =
        testing::MakeNode(*rc::gen::element<std::string>("Relu", "Unheard", "Add"), {last, "", "x"}, {next});
    if (*rc::gen::arbitrary<bool>())
      *node.add_attribute() = testing::IntAttribute("n", *rc::gen::arbitrary<int64_t>());
    if (*rc::gen::arbitrary<bool>()) node.set_doc_string(*rc::gen::arbitrary<std::string>());
    if (*rc::gen::inRange(0, 4) == 0) {
      pb::GraphProto body;
      *body.add_node() = testing::MakeNode("Neg", {last}, {"inner" + std::to_string(i)});
      *node.add_attribute() = testing::GraphAttribute("body", body);
    }
    if (*rc::gen::inRange(0, 4) == 0) {
      auto constant = testing::MakeNode("Constant", {}, {"c" + std::to_string(i)});
      *constant.add_attribute() = testing::IntAttribute("value_int", i);
      *graph.add_node() = constant;
      node.add_input("c" + std::to_string(i));
    }
    if (*rc::gen::arbitrary<bool>())
      *graph.add_value_info() = testing::MakeValue(next, {"batch", "7", "free"});
    *graph.add_node() = node;
    last = next;
  }
  return model;
}

RC_GTEST_PROP(OnnxRoundTrip, SecondTimeChangesNothing, ()) {
  const auto first = testing::Parse(RandomModel());
  RC_ASSERT(first.has_value());
  const std::string once = *SerializeOnnx(*first);
  const auto second = testing::ParseText(once);
  RC_ASSERT(second.has_value());
  RC_ASSERT(*SerializeOnnx(*second) == once);
}

// Whatever the bytes: an error, or a model that can be written.
void ReadDamaged(const std::string& text) {
  const auto graph = testing::ParseText(text);
  if (!graph) {
    EXPECT_FALSE(graph.error().message.empty());
    return;
  }
  EXPECT_TRUE(SerializeOnnx(*graph));
}

TEST(DamagedModel, EveryTruncationIsAnErrorOrAModel) {
  const std::string text = testing::SmallModel().SerializeAsString();
  for (size_t length = 0; length < text.size(); ++length) ReadDamaged(text.substr(0, length));
}

TEST(DamagedModel, EveryFlippedBitIsAnErrorOrAModel) {
  const std::string text = testing::SmallModel().SerializeAsString();
  for (size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string damaged = text;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    ReadDamaged(damaged);
  }
}

RC_GTEST_PROP(DamagedModel, RandomDamageIsAnErrorOrAModel, ()) {
  std::string text = RandomModel().SerializeAsString();
  const int hits = *rc::gen::inRange(1, 8);
  for (int i = 0; i < hits; ++i) {
    text[*rc::gen::inRange<size_t>(0, text.size())] = *rc::gen::arbitrary<char>();
  }
  ReadDamaged(text);
}

}  // namespace
}  // namespace tessera::graph
