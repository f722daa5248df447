// Models written to files, with their weights in files of their own.
#include <gtest/gtest.h>

#include <filesystem>

#include "tessera/base/testing/temporary_directory.h"
#include "tessera/graph/onnx.h"
#include "tessera/graph/test_models.h"
#include "tessera/graph/wire.h"

namespace tessera::graph {
namespace {

class WrittenFile : public ::testing::Test {
 protected:
  size_t Files() const {
    const auto files = std::filesystem::directory_iterator(directory_);
    return static_cast<size_t>(std::distance(begin(files), end(files)));
  }
  const Graph graph_ = testing::Parse(testing::SmallModel()).value();
  const tessera::testing::TemporaryDirectory temporary_;
  const std::filesystem::path directory_ = temporary_.path();
};

TEST_F(WrittenFile, RefersToWeightsOutsideAndReadsBack) {
  auto weights = WeightFile::Create(directory_ / "weights.bin");
  ASSERT_TRUE(weights);
  const std::vector<std::byte> large(70'000);
  ASSERT_TRUE((*weights)->Append(AsBytes("x")));
  EXPECT_EQ((*weights)->Append(large)->offset, 4096U) << "large tensors start on a page";
  const auto source = [&](ValueId id) -> Result<InitializerContent> {
    TRY_ASSIGN(ExternalData place, (*weights)->Append(graph_.value(id).constant->bytes));
    EXPECT_EQ(place.offset % 64, 0U);
    return place;
  };
  ASSERT_TRUE(WriteOnnx(graph_, directory_ / "model.onnx", source));
  ASSERT_TRUE((*weights)->Close());
  const auto read = ReadOnnx(directory_ / "model.onnx");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(AsText(testing::ValueOf(*read, "w").constant->bytes),
            AsText(testing::ValueOf(graph_, "w").constant->bytes));
  EXPECT_EQ(Files(), 2U);
}

TEST_F(WrittenFile, FailureLeavesNothingBehind) {
  {
    auto weights = WeightFile::Create(directory_ / "weights.bin");
    ASSERT_TRUE(weights);
    ASSERT_TRUE((*weights)->Append(AsBytes("x")));
  }
  const auto source = [](ValueId) -> Result<InitializerContent> {
    return Fail(Code::kUnavailable, "no disk");
  };
  EXPECT_FALSE(WriteOnnx(graph_, directory_ / "model.onnx", source));
  EXPECT_EQ(Files(), 0U);
}

TEST_F(WrittenFile, MissingDirectoryIsNotFound) {
  const auto written = WriteOnnx(graph_, directory_ / "none" / "model.onnx");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::kNotFound);
}

}  // namespace
}  // namespace tessera::graph
