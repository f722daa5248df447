// Without a GPU: what is read to the host.
#include "tessera/engine/tensorrt/plan_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <numeric>

#include "tessera/base/testing/temporary_directory.h"

namespace tessera::engine {
namespace {

using nvinfer1::SeekPosition;

class PlanReaderTest : public ::testing::Test {
 protected:
  std::filesystem::path Write(size_t bytes) {
    content_.resize(bytes);
    std::iota(content_.begin(), content_.end(), uint8_t{0});
    for (size_t i = 0; i < bytes; i += 251)
      content_[i] = static_cast<uint8_t>(i / 251);  // no two pages equal
    const std::filesystem::path file = directory_.path() / "model.plan";
    std::ofstream(file, std::ios::binary)
        .write(reinterpret_cast<const char*>(content_.data()), static_cast<std::streamsize>(bytes));
    return file;
  }
  static std::unique_ptr<PlanReader> Open(const std::filesystem::path& file, size_t lanes = 3) {
    ReadWays ways;
    ways.lanes = lanes;
    ways.lane_least = 10'000;
    auto reader = PlanReader::Open(file, DeviceId(0), ways);
    EXPECT_TRUE(reader) << reader.error().ToString();
    return reader ? *std::move(reader) : nullptr;
  }
  std::vector<uint8_t> Part(size_t from, size_t count) const {
    return {content_.begin() + static_cast<std::ptrdiff_t>(from),
            content_.begin() + static_cast<std::ptrdiff_t>(from + count)};
  }

  testing::TemporaryDirectory directory_;
  std::vector<uint8_t> content_;
};

TEST_F(PlanReaderTest, ReadsOnFromWhereItIs) {
  const auto reader = Open(Write(100'003));
  std::vector<uint8_t> first(77), second(100'003);
  EXPECT_EQ(reader->read(first.data(), 77, nullptr), 77);
  EXPECT_EQ(first, Part(0, 77));
  EXPECT_EQ(reader->read(second.data(), 100'003, nullptr), 100'003 - 77) << "several threads, to the end";
  second.resize(100'003 - 77);
  EXPECT_EQ(second, Part(77, 100'003 - 77));
  EXPECT_EQ(reader->read(second.data(), 10, nullptr), 0) << "the end";
  EXPECT_TRUE(reader->Finish());
  EXPECT_EQ(reader->totals().to_host, 100'003U);
  EXPECT_EQ(reader->totals().to_device, 0U);
}

TEST_F(PlanReaderTest, SeeksWithinTheFileOnly) {
  const auto reader = Open(Write(1000));
  uint8_t byte = 0;
  EXPECT_TRUE(reader->seek(-1, SeekPosition::kEND));
  EXPECT_EQ(reader->read(&byte, 5, nullptr), 1);
  EXPECT_EQ(byte, content_[999]);
  EXPECT_TRUE(reader->seek(-500, SeekPosition::kCUR));
  EXPECT_EQ(reader->read(&byte, 1, nullptr), 1);
  EXPECT_EQ(byte, content_[500]);
  EXPECT_TRUE(reader->seek(7, SeekPosition::kSET));
  EXPECT_FALSE(reader->seek(-1, SeekPosition::kSET));
  EXPECT_FALSE(reader->seek(1, SeekPosition::kEND));
  EXPECT_EQ(reader->read(&byte, 1, nullptr), 1);
  EXPECT_EQ(byte, content_[7]) << "where it was";
}

// A mapped file would end the process here.
TEST_F(PlanReaderTest, AFileThatBecameShorterIsAnErrorWithItsName) {
  const std::filesystem::path file = Write(100'000);
  const auto reader = Open(file);
  std::filesystem::resize_file(file, 60'000);
  std::vector<uint8_t> all(100'000);
  EXPECT_EQ(reader->read(all.data(), 100'000, nullptr), -1);
  EXPECT_EQ(reader->read(all.data(), 1, nullptr), -1) << "nothing after an error";
  const Result<void> finished = reader->Finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().code, Code::kInvalidArgument);
  EXPECT_THAT(finished.error().message, ::testing::HasSubstr("model.plan' ends at byte 60000, wanted "));
}

TEST_F(PlanReaderTest, TellsTheFirstBytes) {
  const auto reader = Open(Write(100));
  const auto head = reader->Head(4);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->size(), 4U);
  EXPECT_EQ(static_cast<uint8_t>(head->at(1)), content_[1]);
  EXPECT_EQ(reader->Head(1000)->size(), 100U);
}

TEST_F(PlanReaderTest, NoFileIsNotFoundAndAFolderIsRefused) {
  EXPECT_EQ(PlanReader::Open(directory_.path() / "absent", DeviceId(0), {}).error().code, Code::kNotFound);
  EXPECT_EQ(PlanReader::Open(directory_.path(), DeviceId(0), {}).error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace tessera::engine
