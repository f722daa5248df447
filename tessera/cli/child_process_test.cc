#include "tessera/cli/child_process.h"

#include <csignal>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tessera::cli {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

int WaitForEnd(ChildProcess& child, SignalQueue& signals) {
  while (true) {
    if (auto code = child.TryWait()) return *code;
    if (signals.Next(seconds(30)) == 0) ADD_FAILURE() << "no signal when the child ended";
  }
}

TEST(ChildProcess, TellsTheExitCode) {
  SignalQueue signals;
  auto child = ChildProcess::Start({"/bin/sh", "-c", "exit 7"});
  ASSERT_TRUE(child);
  EXPECT_EQ(WaitForEnd(*child, signals), 7);
}

TEST(ChildProcess, EndsBySignalWith128AndItsNumber) {
  SignalQueue signals;
  auto child = ChildProcess::Start({"/bin/sh", "-c", "read forever < /dev/zero"});
  ASSERT_TRUE(child);
  child->Signal(SIGTERM);
  EXPECT_EQ(WaitForEnd(*child, signals), 128 + SIGTERM);
}

TEST(ChildProcess, HasThisEnvironmentAndWhatItIsGiven) {
  SignalQueue signals;
  ASSERT_EQ(setenv("TESSERA_TEST_KEPT", "kept", 1), 0);
  ASSERT_EQ(setenv("TESSERA_TEST_REPLACED", "old", 1), 0);
  auto child = ChildProcess::Start(
      {"/bin/sh", "-c", "test $TESSERA_TEST_KEPT$TESSERA_TEST_REPLACED$TESSERA_TEST_REPLACED2 = keptnewmore"},
      ChildProcess::Output::kToStandardError, {"TESSERA_TEST_REPLACED=new", "TESSERA_TEST_REPLACED2=more"});
  ASSERT_TRUE(child);
  EXPECT_EQ(WaitForEnd(*child, signals), 0);
  EXPECT_STREQ(getenv("TESSERA_TEST_REPLACED"), "old");
}

TEST(ChildProcess, IsKilledWithItsOwner) {
  pid_t pid = 0;
  {
    auto child = ChildProcess::Start({"/bin/sh", "-c", "read forever < /dev/zero"});
    ASSERT_TRUE(child);
    pid = child->pid();
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST(ChildProcess, SaysWhyAProgramCannotBeRun) {
  auto child = ChildProcess::Start({"/no/such/program"});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().message, "cannot run '/no/such/program': No such file or directory");
}

}  // namespace
}  // namespace tessera::cli
