#include <deque>

#include "tessera/comm/conformance/conformance.h"
#include "tessera/comm/conformance/trial.h"
#include "tessera/comm/conformance/values.h"

namespace tessera::comm::conformance {
namespace {

TEST_P(EveryCollective, GivesTheAnswerOfTheDefinition) {
  for (size_t n : {1, 16, 1000}) Trial(group(), GetParam().what, n, /*seed=*/1).RunAndCheck();
}

TEST_P(EveryCollective, TakesSizesThatNoRankCountDivides) {
  for (size_t n : {7, 61, 4099}) Trial(group(), GetParam().what, n, 2).RunAndCheck();
}

TEST_P(EveryCollective, TakesNoElements) {
  Trial(group(), GetParam().what, 0, 3).RunAndCheck();
}

// 20 KB a rank for each op and type: beyond what adapters treat as small.
TEST_P(EveryCollective, TakesMuch) {
  const Collective& what = GetParam().what;
  const size_t elements = 20'480 * 8 / static_cast<size_t>(BitsOf(what.type)) + 11;
  Trial(group(), what, elements / SendCount(what, what.root, GetParam().world_size, 1), 4).RunAndCheck();
}

TEST_P(EveryCollective, WorksInPlace) {
  if (!MayBeInPlace(GetParam().what.op)) return;  // send and recv differ in size
  for (size_t n : {5, 6007}) Trial(group(), GetParam().what, n, 5, Place::kInPlace).RunAndCheck();
}

TEST_P(EveryCollective, TakesEveryRootInTurn) {
  if (!IsRooted(GetParam().what.op)) return;
  for (int root = 0; root < GetParam().world_size; ++root) {
    Collective what = GetParam().what;
    what.root = Rank{root};
    Trial(group(), what, 33, 6).RunAndCheck();
  }
}

TEST_P(EveryCollective, RepeatsTheSameBits) {
  std::deque<Trial> trials;
  for (int i = 0; i < 20; ++i) trials.emplace_back(group(), GetParam().what, 1501, 7);
  OnEveryRank(group(), [&](Communicator& end) {
    for (Trial& trial : trials) {
      ASSERT_TRUE(trial.Run(end, Generous()));
      EXPECT_EQ(trial.Got(end), trials.front().Got(end));
    }
  });
}

}  // namespace
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EveryCollective);
}  // namespace tessera::comm::conformance
