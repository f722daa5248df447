#include "tessera/base/sha256.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "tessera/base/file.h"
#include "tessera/base/testing/temporary_directory.h"

namespace tessera {
namespace {

Bytes AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string HexOf(std::string_view text) {
  Sha256 hash;
  hash.Update(AsBytes(text));
  return hash.Hex();
}

// Source: NIST, "Example Values": SHA-256.
TEST(Sha256, GivesTheKnownAnswers) {
  EXPECT_EQ(HexOf(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexOf("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HexOf("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(HexOf(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

RC_GTEST_PROP(Sha256, DoesNotDependOnHowTheBytesAreCut, (const std::string& a, const std::string& b)) {
  Sha256 hash;
  hash.Update(AsBytes(a));
  hash.Update(AsBytes(b));
  RC_ASSERT(hash.Hex() == HexOf(a + b));
}

TEST(Sha256OfFile, HashesTheContent) {
  testing::TemporaryDirectory directory;
  ASSERT_TRUE(WriteFileAtomically(directory.path() / "abc", "abc"));
  EXPECT_EQ(*Sha256OfFile(directory.path() / "abc"), HexOf("abc"));
}

TEST(Sha256OfFile, TakesAnEmptyFile) {
  testing::TemporaryDirectory directory;
  ASSERT_TRUE(WriteFileAtomically(directory.path() / "empty", ""));
  EXPECT_EQ(*Sha256OfFile(directory.path() / "empty"), HexOf(""));
}

TEST(Sha256OfFile, TellsThatThereIsNoFile) {
  EXPECT_EQ(Sha256OfFile("/no/such/file").error().code, Code::kNotFound);
}

}  // namespace
}  // namespace tessera
