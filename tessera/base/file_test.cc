#include "tessera/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <set>
#include <thread>

#include "tessera/base/testing/temporary_directory.h"

namespace tessera {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FileTest : public ::testing::Test {
 protected:
  fs::path In(std::string_view name) const { return directory_.path() / name; }
  std::set<std::string> Names() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory_.path())) names.insert(entry.path().filename());
    return names;
  }

 private:
  testing::TemporaryDirectory directory_;
};

std::string Text(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

using MappedFileTest = FileTest;

TEST_F(MappedFileTest, ShowsTheContent) {
  ASSERT_TRUE(WriteFileAtomically(In("a"), "weights"));
  auto file = MappedFile::Open(In("a"));
  ASSERT_TRUE(file);
  EXPECT_EQ(Text(**file), "weights");
}

TEST_F(MappedFileTest, MapsAnEmptyFileToNoBytes) {
  ASSERT_TRUE(WriteFileAtomically(In("a"), ""));
  auto file = MappedFile::Open(In("a"));
  ASSERT_TRUE(file);
  EXPECT_TRUE((*file)->bytes().empty());
}

TEST_F(MappedFileTest, OutlivesTheNameOfItsFile) {
  ASSERT_TRUE(WriteFileAtomically(In("a"), "old"));
  auto file = MappedFile::Open(In("a"));
  ASSERT_TRUE(WriteFileAtomically(In("a"), "new"));
  fs::remove(In("a"));
  EXPECT_EQ(Text(**file), "old");
}

TEST_F(MappedFileTest, TellsWhatIsNotThere) {
  auto file = MappedFile::Open(In("absent"));
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, Code::kNotFound);
  EXPECT_THAT(file.error().message, HasSubstr(In("absent").string()));
}

TEST_F(MappedFileTest, RefusesADirectory) {
  auto file = MappedFile::Open(In("."));
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, Code::kInvalidArgument);
  EXPECT_THAT(file.error().message, HasSubstr("is a directory"));
}

TEST_F(MappedFileTest, RefusesAPipeInsteadOfWaitingForItsWriter) {
  ASSERT_EQ(::mkfifo(In("pipe").c_str(), 0600), 0);
  EXPECT_EQ(MappedFile::Open(In("pipe")).error().code, Code::kInvalidArgument);
}

TEST_F(FileTest, ReadFileReadsBytesAsTheyAre) {
  const std::string content("a\0b\r\n", 5);
  ASSERT_TRUE(WriteFileAtomically(In("a"), content));
  EXPECT_EQ(*ReadFile(In("a")), content);
}

TEST_F(FileTest, ReadFileReadsFilesWhoseSizeIsNotKnown) {
  auto status = ReadFile("/proc/self/status");
  ASSERT_TRUE(status);
  EXPECT_THAT(*status, HasSubstr("Name:"));
}

TEST_F(FileTest, ReadFileTellsWhatIsNotThere) {
  EXPECT_EQ(ReadFile(In("absent")).error().code, Code::kNotFound);
}

TEST_F(FileTest, WriteReplacesTheOldContentAndLeavesNothingBeside) {
  ASSERT_TRUE(WriteFileAtomically(In("a"), std::string(100'000, 'x')));
  ASSERT_TRUE(WriteFileAtomically(In("a"), "new"));
  EXPECT_EQ(*ReadFile(In("a")), "new");
  EXPECT_THAT(Names(), ElementsAre("a"));
}

TEST_F(FileTest, WriteThatFailsKeepsTheOldAndLeavesNothingBeside) {
  fs::create_directory(In("a"));  // a name that a file cannot take
  EXPECT_FALSE(WriteFileAtomically(In("a"), "new"));
  EXPECT_TRUE(fs::is_directory(In("a")));
  EXPECT_THAT(Names(), ElementsAre("a"));
}

TEST_F(FileTest, WriteTellsThatTheDirectoryIsNotThere) {
  EXPECT_EQ(WriteFileAtomically(In("no/a"), "x").error().code, Code::kNotFound);
}

TEST_F(FileTest, ReadersNeverSeeHalfOfAWrite) {
  const std::string a(300'000, 'a'), b(200'000, 'b');
  ASSERT_TRUE(WriteFileAtomically(In("f"), a));
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(WriteFileAtomically(In("f"), i % 2 == 0 ? b : a));
    done = true;
  });
  while (!done) {
    auto content = ReadFile(In("f"));
    ASSERT_TRUE(content) << content.error().message;
    EXPECT_TRUE(*content == a || *content == b);
  }
  writer.join();
}

using StagedDirectoryTest = FileTest;

TEST_F(StagedDirectoryTest, AppearsWholeAtCommit) {
  auto staged = StagedDirectory::Create(In("model"));
  ASSERT_TRUE(staged);
  fs::create_directory(staged->path() / "1");
  ASSERT_TRUE(WriteFileAtomically(staged->path() / "1" / "plan.json", "{}"));
  EXPECT_FALSE(fs::exists(In("model")));
  ASSERT_TRUE(staged->Commit());
  EXPECT_EQ(*ReadFile(In("model/1/plan.json")), "{}");
  EXPECT_THAT(Names(), ElementsAre("model"));
}

TEST_F(StagedDirectoryTest, LeavesNothingWithoutCommit) {
  {
    auto staged = StagedDirectory::Create(In("model"));
    ASSERT_TRUE(staged);
    ASSERT_TRUE(WriteFileAtomically(staged->path() / "half", "x"));
    EXPECT_EQ(Names().size(), 1U);
    EXPECT_EQ(Names().begin()->front(), '.') << "the directory being built is hidden";
  }
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(StagedDirectoryTest, SurvivesItsMove) {
  auto staged = StagedDirectory::Create(In("model"));
  ASSERT_TRUE(staged);
  {
    StagedDirectory moved = std::move(*staged);
    ASSERT_TRUE(moved.Commit());
  }
  EXPECT_TRUE(fs::is_directory(In("model")));
}

TEST_F(StagedDirectoryTest, MayBeBuiltInAnotherPlace) {
  fs::create_directory(In("repository"));
  auto staged = StagedDirectory::CreateIn(In("."), In("repository/model"));
  ASSERT_TRUE(staged);
  EXPECT_TRUE(fs::is_empty(In("repository")));
  ASSERT_TRUE(staged->Commit());
  EXPECT_TRUE(fs::is_directory(In("repository/model")));
  EXPECT_THAT(Names(), ElementsAre("repository"));
}

struct stat StatOf(const fs::path& file) {
  struct stat info {};
  EXPECT_EQ(::stat(file.c_str(), &info), 0);
  return info;
}

TEST_F(StagedDirectoryTest, InAnotherPlaceItHasTheGroupThatItWouldHaveHadThere) {
  fs::create_directory(In("repository"));
  const gid_t group = ::geteuid() == 0 ? 4711 : ::getegid();  // who may not choose one has this
  ASSERT_EQ(::chown(In("repository").c_str(), static_cast<uid_t>(-1), group), 0);
  ASSERT_EQ(::chmod(In("repository").c_str(), 02775), 0);
  auto staged = StagedDirectory::CreateIn(In("."), In("repository/model"));
  ASSERT_TRUE(staged) << staged.error().ToString();
  ASSERT_TRUE(WriteFileAtomically(staged->path() / "config.pbtxt", "x"));
  ASSERT_TRUE(staged->Commit());
  EXPECT_EQ(StatOf(In("repository/model")).st_gid, group);
  EXPECT_TRUE(StatOf(In("repository/model")).st_mode & S_ISGID);
  EXPECT_EQ(StatOf(In("repository/model/config.pbtxt")).st_gid, group);
}

TEST_F(StagedDirectoryTest, InAnotherPlaceItHasTheAclThatItWouldHaveHadThere) {
  fs::create_directory(In("repository"));
  struct Entry {
    uint16_t tag, perm;
    uint32_t id;
  };
  const struct {
    uint32_t version = 2;
    Entry entries[5] = {{0x01, 7, ~0U}, {0x02, 5, 4711}, {0x04, 5, ~0U}, {0x10, 7, ~0U}, {0x20, 0, ~0U}};
  } acl;  // u::rwx, u:4711:r-x, g::r-x, m::rwx, o::---
  if (::setxattr(In("repository").c_str(), "system.posix_acl_default", &acl, sizeof acl, 0) != 0)
    GTEST_SKIP() << "a file system without ACLs";
  auto staged = StagedDirectory::CreateIn(In("."), In("repository/model"));
  ASSERT_TRUE(staged) << staged.error().ToString();
  ASSERT_TRUE(WriteFileAtomically(staged->path() / "config.pbtxt", "x"));
  ASSERT_TRUE(staged->Commit());
  fs::create_directory(In("repository/wanted"));
  for (const char* name : {"system.posix_acl_default", "system.posix_acl_access"}) {
    char got[256];
    char wanted[256];
    const ssize_t size = ::getxattr(In("repository/wanted").c_str(), name, wanted, sizeof wanted);
    ASSERT_GT(size, 0) << name;
    ASSERT_EQ(::getxattr(In("repository/model").c_str(), name, got, sizeof got), size) << name;
    EXPECT_EQ(std::memcmp(got, wanted, static_cast<size_t>(size)), 0) << name;
  }
}

TEST_F(StagedDirectoryTest, RefusesAPlaceOnAnotherFileSystem) {
  struct stat here {};
  struct stat there {};
  ASSERT_EQ(::stat(In(".").c_str(), &here), 0);
  if (::stat("/dev/shm", &there) != 0 || here.st_dev == there.st_dev) GTEST_SKIP() << "one file system only";
  auto staged = StagedDirectory::CreateIn("/dev/shm", In("model"));
  ASSERT_FALSE(staged);
  EXPECT_EQ(staged.error().code, Code::kUnavailable);
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(StagedDirectoryTest, RemovesWhatAKilledProcessLeftOfTheSameName) {
  for (const char* name : {".model.41-0123abcd-0.tmp", ".model.2.41-0123abcd-0.tmp", ".model.tmp"}) {
    fs::create_directory(In(name));
    ASSERT_TRUE(WriteFileAtomically(In(name) / "half", "x"));
  }
  ASSERT_TRUE(StagedDirectory::Create(In("model")));
  EXPECT_THAT(Names(), ElementsAre(".model.2.41-0123abcd-0.tmp", ".model.tmp"));
}

TEST_F(StagedDirectoryTest, LeavesWhatAnotherProcessIsBuilding) {
  auto one = StagedDirectory::Create(In("model"));
  auto other = StagedDirectory::Create(In("model"));
  ASSERT_TRUE(one && other);
  EXPECT_TRUE(fs::is_directory(one->path()));
  ASSERT_TRUE(other->Commit());
  EXPECT_EQ(one->Commit().error().code, Code::kAlreadyExists);
}

TEST_F(StagedDirectoryTest, RefusesATargetThatExists) {
  ASSERT_TRUE(WriteFileAtomically(In("model"), "a file"));
  auto staged = StagedDirectory::Create(In("model"));
  ASSERT_FALSE(staged);
  EXPECT_EQ(staged.error().code, Code::kAlreadyExists);
  EXPECT_THAT(staged.error().message, HasSubstr("model"));
}

TEST_F(StagedDirectoryTest, RefusesATargetThatAppearsBeforeCommit) {
  {
    auto staged = StagedDirectory::Create(In("model"));
    ASSERT_TRUE(staged);
    fs::create_directory(In("model"));
    auto committed = staged->Commit();
    ASSERT_FALSE(committed);
    EXPECT_EQ(committed.error().code, Code::kAlreadyExists);
  }
  EXPECT_THAT(Names(), ElementsAre("model"));
  EXPECT_TRUE(fs::is_empty(In("model")));
}

TEST_F(StagedDirectoryTest, TellsThatTheParentIsNotThere) {
  EXPECT_EQ(StagedDirectory::Create(In("no/model")).error().code, Code::kNotFound);
}

TEST_F(StagedDirectoryTest, TakesANameWithASlashAtTheEnd) {
  auto staged = StagedDirectory::Create(In("model/"));
  ASSERT_TRUE(staged);
  ASSERT_TRUE(staged->Commit());
  EXPECT_THAT(Names(), ElementsAre("model"));
}

}  // namespace
}  // namespace tessera
