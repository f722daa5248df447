// Bad input of every kind: one line that names the thing, the got and the wanted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tessera/base/file.h"
#include "tessera/graph/onnx.h"
#include "tessera/graph/test_models.h"

namespace tessera::graph {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::MakeNode;
using testing::MakeTensor;
using testing::MakeValue;
using testing::SmallModel;

// The error of reading `model`, checked to be one line that begins with the model's name.
Error ErrorOf(const Result<Graph>& graph) {
  if (graph) {
    ADD_FAILURE() << "the model was accepted";
    return {};
  }
  EXPECT_EQ(graph.error().message.find('\n'), std::string::npos) << graph.error().message;
  EXPECT_THAT(graph.error().message, HasSubstr("'model'"));
  return graph.error();
}
Error ErrorOf(const pb::ModelProto& model) {
  return ErrorOf(testing::Parse(model));
}

TEST(BadModel, FileThatDoesNotExistIsNotFound) {
  const auto graph = ReadOnnx("/nowhere/at/all.onnx");
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, Code::kNotFound);
  EXPECT_THAT(graph.error().message, HasSubstr("/nowhere/at/all.onnx"));
}

TEST(BadModel, DirectoryIsNotAModel) {
  const auto graph = ReadOnnx(std::filesystem::temp_directory_path());
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, Code::kInvalidArgument);
}

TEST(BadModel, EmptyAndTextFilesAreNotOnnx) {
  for (const char* text : {"", "hello, this is a text file\n", "{\"json\": true}", "\x08\x0a"}) {
    const Error error = ErrorOf(testing::ParseText(text));
    EXPECT_EQ(error.code, Code::kInvalidArgument);
    EXPECT_THAT(error.message, HasSubstr("not ONNX"));
  }
}

TEST(BadModel, MissingIrVersionIsNotOnnx) {
  auto model = SmallModel();
  model.clear_ir_version();
  EXPECT_THAT(ErrorOf(model).message, HasSubstr("no IR version"));
}

TEST(BadModel, NewerIrVersionIsUnsupported) {
  auto model = SmallModel();
  model.set_ir_version(15);
  const Error error = ErrorOf(model);
  EXPECT_EQ(error.code, Code::kUnsupported);
  EXPECT_THAT(error.message, HasSubstr("IR version 15, wanted at most 14"));
}

TEST(BadModel, ReadingBeforeItIsMadeIsNotSorted) {
  auto model = SmallModel();
  model.mutable_graph()->mutable_node()->SwapElements(0, 1);
  EXPECT_THAT(ErrorOf(model).message, AllOf(HasSubstr("not topologically sorted"), HasSubstr("'Relu_node'"),
                                            HasSubstr("'MatMul_node'")));
}

TEST(BadModel, ReadingWhatNothingDefinesNamesNodeAndValue) {
  auto model = SmallModel();
  model.mutable_graph()->clear_initializer();
  EXPECT_THAT(ErrorOf(model).message,
              HasSubstr("node 'MatMul_node' (MatMul) reads 'w', which nothing defines"));
}

TEST(BadModel, SubgraphReadingWhatNothingDefinesIsRefused) {
  auto model = SmallModel();
  pb::GraphProto body;
  *body.add_node() = MakeNode("Relu", {"ghost"}, {"inner"});
  auto node = MakeNode("If", {"x"}, {"z"});
  *node.add_attribute() = testing::GraphAttribute("then_branch", body);
  *model.mutable_graph()->add_node() = node;
  EXPECT_THAT(ErrorOf(model).message, AllOf(HasSubstr("a subgraph of node 'If_node'"), HasSubstr("'ghost'")));
}

TEST(BadModel, ValueDefinedTwiceIsRefused) {
  auto model = SmallModel();
  model.mutable_graph()->mutable_node(1)->set_output(0, "h");
  EXPECT_THAT(ErrorOf(model).message,
              HasSubstr("value 'h' is defined twice, the second time by node 'Relu_node'"));
}

TEST(BadModel, InitializerGivenTwiceIsRefused) {
  auto model = SmallModel();
  *model.mutable_graph()->add_initializer() = MakeTensor("w", {4, 3});
  EXPECT_THAT(ErrorOf(model).message, HasSubstr("value 'w' is defined twice"));
}

TEST(BadModel, OutputThatNothingDefinesIsRefused) {
  auto model = SmallModel();
  *model.mutable_graph()->add_output() = MakeValue("ghost", {"1"});
  EXPECT_THAT(ErrorOf(model).message, HasSubstr("output 'ghost'"));
}

TEST(BadModel, NodeWithoutOpTypeIsRefused) {
  auto model = SmallModel();
  model.mutable_graph()->mutable_node(0)->clear_op_type();
  EXPECT_THAT(ErrorOf(model).message, HasSubstr("no op_type"));
}

TEST(BadModel, TensorWithTooFewBytesTellsGotAndWanted) {
  auto model = SmallModel();
  model.mutable_graph()->mutable_initializer(0)->set_raw_data(std::string(40, '\0'));
  EXPECT_THAT(ErrorOf(model).message, HasSubstr("tensor 'w' has 40 bytes, [4,3] FP32 wants 48"));
}

TEST(BadModel, TensorWithTooManyValuesIsRefused) {
  auto model = SmallModel();
  auto& tensor = *model.mutable_graph()->mutable_initializer(0);
  tensor.clear_raw_data();
  for (int i = 0; i < 13; ++i) tensor.add_float_data(0);
  EXPECT_THAT(ErrorOf(model).message, HasSubstr("tensor 'w' has 52 bytes, [4,3] FP32 wants 48"));
}

TEST(BadModel, NegativeOrHugeDimensionsAreRefused) {
  auto model = SmallModel();
  model.mutable_graph()->mutable_initializer(0)->set_dims(0, -4);
  EXPECT_THAT(ErrorOf(model).message, HasSubstr("tensor 'w' has shape [-4,3]"));
  model.mutable_graph()->mutable_initializer(0)->set_dims(0, int64_t{1} << 62);
  EXPECT_THAT(ErrorOf(model).message, HasSubstr("tensor 'w' is too large"));
}

TEST(BadModel, TensorWithoutTypeIsRefused) {
  auto model = SmallModel();
  model.mutable_graph()->mutable_initializer(0)->clear_data_type();
  EXPECT_THAT(ErrorOf(model).message, HasSubstr("tensor 'w' has no element type"));
}

// External data: the small model's weight in a file beside it.
class ExternalWeight : public ::testing::Test {
 protected:
  ExternalWeight() {
    directory_ = std::filesystem::temp_directory_path() /
                 ("tessera_external_" + std::to_string(::getpid()) + "_" +
                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(directory_);
    model_ = SmallModel();
    auto& tensor = *model_.mutable_graph()->mutable_initializer(0);
    tensor.clear_raw_data();
    tensor.set_data_location(pb::TensorProto::EXTERNAL);
    Set("location", "weights.bin");
    std::ofstream(directory_ / "weights.bin") << std::string(100, 'w');
  }
  ~ExternalWeight() override { std::filesystem::remove_all(directory_); }

  void Set(const std::string& key, const std::string& value) {
    auto& entry = *model_.mutable_graph()->mutable_initializer(0)->add_external_data();
    entry.set_key(key);
    entry.set_value(value);
  }
  Result<Graph> Parse() const { return testing::Parse(model_, directory_.string()); }

  std::filesystem::path directory_;
  pb::ModelProto model_;
};

TEST_F(ExternalWeight, IsMappedAtItsOffset) {
  Set("offset", "52");
  Set("length", "48");
  const auto graph = Parse();
  ASSERT_TRUE(graph) << graph.error().message;
  const auto& constant = graph->value(*graph->FindValue("w")).constant;
  EXPECT_EQ(constant->bytes.size(), 48U);
  EXPECT_EQ(constant->bytes[0], std::byte{'w'});
}

// 3 GB that cost nothing: a hole in the file, and only a page of it is ever read.
TEST_F(ExternalWeight, PastTwoGigabytesIsMapped) {
  const uint64_t offset = uint64_t{3} << 30;
  std::filesystem::resize_file(directory_ / "weights.bin", offset);
  std::ofstream(directory_ / "weights.bin", std::ios::app) << std::string(48, 'f');
  Set("offset", std::to_string(offset));
  const auto graph = Parse();
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->value(*graph->FindValue("w")).constant->bytes[47], std::byte{'f'});
}

TEST_F(ExternalWeight, TruncatedFileTellsTensorFileGotAndWanted) {
  Set("offset", "64");
  EXPECT_THAT(ErrorOf(Parse()).message,
              AllOf(HasSubstr("tensor 'w'"), HasSubstr("weights.bin"), HasSubstr("truncated"),
                    HasSubstr("36 bytes from offset 64, wanted 48")));
}

TEST_F(ExternalWeight, OffsetPastTheEndIsTruncated) {
  Set("offset", "18446744073709551615");
  EXPECT_THAT(ErrorOf(Parse()).message, HasSubstr("0 bytes from offset"));
}

TEST_F(ExternalWeight, LengthThatIsNotTheShapesIsRefused) {
  Set("length", "44");
  EXPECT_THAT(ErrorOf(Parse()).message, HasSubstr("tensor 'w' has 44 bytes, [4,3] FP32 wants 48"));
}

TEST_F(ExternalWeight, OffsetThatIsNoNumberIsRefused) {
  for (const char* text : {"-1", "12x", "", " 3", "99999999999999999999"}) {
    model_.mutable_graph()->mutable_initializer(0)->clear_external_data();
    Set("location", "weights.bin");
    Set("offset", text);
    EXPECT_THAT(ErrorOf(Parse()).message, HasSubstr("wanted a number of bytes")) << text;
  }
}

TEST_F(ExternalWeight, LocationOutsideOfTheDirectoryIsRefused) {
  for (const char* location : {"../weights.bin", "/etc/passwd", "a/../../b", "", ".."}) {
    model_.mutable_graph()->mutable_initializer(0)->clear_external_data();
    Set("location", location);
    EXPECT_THAT(ErrorOf(Parse()).message, HasSubstr("wanted a file in the model's directory")) << location;
  }
}

TEST_F(ExternalWeight, MissingFileIsInvalidAndNamed) {
  std::filesystem::remove(directory_ / "weights.bin");
  const Error error = ErrorOf(Parse());
  EXPECT_EQ(error.code, Code::kInvalidArgument);
  EXPECT_THAT(error.message, AllOf(HasSubstr("tensor 'w'"), HasSubstr("weights.bin")));
}

TEST_F(ExternalWeight, InsideASubgraphIsEmbedded) {
  pb::GraphProto body;
  *body.add_initializer() = model_.graph().initializer(0);
  body.mutable_initializer(0)->set_name("inner");
  *body.add_output() = MakeValue("inner", {"4", "3"});
  auto node = MakeNode("If", {"x"}, {"z"});
  *node.add_attribute() = testing::GraphAttribute("then_branch", body);
  *model_.mutable_graph()->add_node() = node;
  const auto graph = Parse();
  ASSERT_TRUE(graph) << graph.error().message;
  const auto written = testing::Written(*graph).graph().node(2).attribute(0).g().initializer(0);
  EXPECT_EQ(written.raw_data(), std::string(48, 'w'));
  EXPECT_EQ(written.data_location(), pb::TensorProto::DEFAULT);
}

}  // namespace
}  // namespace tessera::graph
