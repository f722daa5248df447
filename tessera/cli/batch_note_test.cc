#include "tessera/cli/batch_note.h"

#include <gmock/gmock.h>

#include <fstream>

#include "tessera/base/testing/temporary_directory.h"
#include "tessera/plan/testing/sample_plan.h"

namespace tessera::cli {
namespace {

using ::testing::HasSubstr;

// Of engines that take up to 64 rows of x.
std::string NoteOn(const std::string& config) {
  const tessera::testing::TemporaryDirectory model;
  std::filesystem::create_directory(model.path() / "1");
  std::ofstream(model.path() / "config.pbtxt") << config;
  return BatchNote(plan::SampleBuiltPlan(), model.path() / "1");
}

TEST(BatchNote, TellsOfAServerThatWouldRefuseTheModel) {
  EXPECT_THAT(NoteOn("name: \"m\"\nmax_batch_size: 65\n"),
              HasSubstr("max_batch_size 65, the engines take up to 64 rows: a server refuses the model"));
}

TEST(BatchNote, TellsOfRowsThatNoRequestMayHave) {
  EXPECT_THAT(NoteOn("max_batch_size : 8"), HasSubstr("refuses requests of more until it is raised"));
}

TEST(BatchNote, IsEmptyWhereBothAgreeOrNothingIsBatched) {
  EXPECT_EQ(NoteOn("max_batch_size: 64"), "");
  EXPECT_EQ(NoteOn("max_batch_size: 0"), "");
  EXPECT_EQ(NoteOn("# max_batch_size: 8"), "");
  EXPECT_EQ(BatchNote(plan::SampleBuiltPlan(), "/no/such/model/1"), "");
}

}  // namespace
}  // namespace tessera::cli
