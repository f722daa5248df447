#include "tessera/cli/npz.h"

#include <cstring>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

namespace tessera::cli {
namespace {

using ::testing::HasSubstr;

Bytes AsBytes(const std::string& text) {
  return std::as_bytes(std::span(text));
}

// An .npy file of version 1 with this header and data.
std::string Npy(const std::string& header, const std::string& data) {
  std::string file = "\x93NUMPY";
  file += std::string("\x01\x00", 2);
  const auto length = static_cast<uint16_t>(header.size());
  file.append(reinterpret_cast<const char*>(&length), 2);
  return file + header + data;
}

std::string Int32s(std::initializer_list<int32_t> values) {
  std::string data(values.size() * 4, '\0');
  std::memcpy(data.data(), values.begin(), data.size());
  return data;
}

const std::string kPair =
    Npy("{'descr': '<i4', 'fortran_order': False, 'shape': (2, 1), }\n", Int32s({7, -9}));

std::string Deflate(const std::string& content) {
  std::string packed(compressBound(content.size()), '\0');
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

void Put16(std::string& text, std::initializer_list<int> fields) {
  for (int field : fields) {
    text += static_cast<char>(field & 0xff);
    text += static_cast<char>(field >> 8);
  }
}

template <class T>
void Put(std::string& text, T number) {
  text.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

// A zip of one member.
std::string Zip(const std::string& name, const std::string& content, bool deflated) {
  const std::string packed = deflated ? Deflate(content) : content;
  const auto sizes = [&](std::string& text) {
    Put<uint32_t>(text, 0);  // checksum
    Put(text, static_cast<uint32_t>(packed.size()));
    Put(text, static_cast<uint32_t>(content.size()));
    Put(text, static_cast<uint16_t>(name.size()));
    Put<uint16_t>(text, 0);  // extra
  };
  std::string zip = "PK\x03\x04";
  Put16(zip, {20, 0, deflated ? 8 : 0, 0, 0});
  sizes(zip);
  zip += name + packed;
  const auto directory = static_cast<uint32_t>(zip.size());
  std::string entry = "PK\x01\x02";
  Put16(entry, {20, 20, 0, deflated ? 8 : 0, 0, 0});
  sizes(entry);
  Put16(entry, {0, 0, 0});  // comment, disk, attributes
  Put<uint32_t>(entry, 0);
  Put<uint32_t>(entry, 0);  // offset of the local header
  zip += entry + name;
  const auto directory_size = static_cast<uint32_t>(zip.size()) - directory;
  zip += "PK\x05\x06";
  Put16(zip, {0, 0, 1, 1});
  Put(zip, directory_size);
  Put(zip, directory);
  Put<uint16_t>(zip, 0);
  return zip;
}

class Npz : public ::testing::Test {
 protected:
  Result<std::vector<HostTensor>> ReadText(const std::string& content) {
    const auto file = std::filesystem::path(::testing::TempDir()) / "inputs.npz";
    std::ofstream(file, std::ios::binary) << content;
    auto tensors = ReadNpz(file);
    std::filesystem::remove(file);
    return tensors;
  }
};

TEST_F(Npz, ReadsStoredAndDeflatedMembers) {
  for (bool deflated : {false, true}) {
    auto tensors = ReadText(Zip("ids.npy", kPair, deflated));
    ASSERT_TRUE(tensors) << tensors.error().message;
    ASSERT_EQ(tensors->size(), 1U);
    const HostTensor& ids = tensors->front();
    EXPECT_EQ(ids.spec.name, "ids");
    EXPECT_EQ(ids.spec.type, DType::kInt32);
    EXPECT_EQ(ids.spec.shape, (Shape{2, 1}));
    EXPECT_EQ(AccessOf(DType::kInt32)->read(&ids.bytes[4]), -9);
  }
}

TEST_F(Npz, EveryTruncationIsAnErrorNotACrash) {
  for (bool deflated : {false, true}) {
    const std::string whole = Zip("ids.npy", kPair, deflated);
    for (size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(ReadText(whole.substr(0, size))) << size;
  }
}

TEST_F(Npz, EveryFlippedByteIsReadOrRefusedWithoutCrash) {
  const std::string whole = Zip("ids.npy", kPair, true);
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string broken = whole;
    broken[at] = static_cast<char>(~broken[at]);
    (void)ReadText(broken);
  }
}

TEST_F(Npz, SaysThatAFileIsNoNpz) {
  auto tensors = ReadText("hello");
  ASSERT_FALSE(tensors);
  EXPECT_THAT(tensors.error().message, HasSubstr("is not a whole .npz file"));
}

TEST(Npy, ReadsScalars) {
  auto tensor =
      ParseNpy("x", AsBytes(Npy("{'descr': '<i4', 'fortran_order': False, 'shape': (), }", Int32s({5}))));
  ASSERT_TRUE(tensor) << tensor.error().message;
  EXPECT_TRUE(tensor->spec.shape.empty());
}

TEST(Npy, RefusesFortranOrderAndUnknownTypes) {
  auto fortran =
      ParseNpy("x", AsBytes(Npy("{'descr': '<i4', 'fortran_order': True, 'shape': (1,), }", Int32s({5}))));
  ASSERT_FALSE(fortran);
  EXPECT_EQ(fortran.error().message, "array 'x' is in Fortran order; wanted is C order");
  auto object = ParseNpy("x", AsBytes(Npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "?")));
  ASSERT_FALSE(object);
  EXPECT_THAT(object.error().message, HasSubstr("array 'x' has dtype '|O'"));
}

TEST(Npy, RefusesADataSizeThatIsNotTheShapes) {
  auto short_of =
      ParseNpy("x", AsBytes(Npy("{'descr': '<i4', 'fortran_order': False, 'shape': (3,), }", Int32s({5}))));
  ASSERT_FALSE(short_of);
  EXPECT_EQ(short_of.error().message, "array 'x' of shape [3] has 4 bytes, wanted 12");
  const std::string huge = "{'descr': '<i4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }";
  EXPECT_FALSE(ParseNpy("x", AsBytes(Npy(huge, ""))));
}

}  // namespace
}  // namespace tessera::cli
