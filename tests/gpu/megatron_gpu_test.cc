// The Megatron MLP at its full size, an engine of its own on every rank, against one GPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "tessera/engine/tensorrt/tensorrt_engine.h"
#include "tests/gpu/gpus.h"
#include "tests/gpu/models.h"
#include "tests/gpu/steps.h"

namespace tessera::gputest {
namespace {

constexpr int64_t kMegatronRows = 2048;
constexpr double kLimit = 1e-3;
const Mlp kMlp{4096, 8192, 4096, kMegatronRows, kMegatronRows};

// Every rank's y, of the first run of the shape and of its CUDA graphs: one after the other.
Result<std::vector<std::vector<uint16_t>>> Answers(int ranks, const std::vector<uint16_t>& x) {
  const Deadline deadline = Deadline::In(std::chrono::seconds(60));
  TempDirectory directory;
  TRY_ASSIGN(const plan::Plan plan, WriteMlp(kMlp, ranks, directory.path()));
  engine::TensorRtOptions options;
  options.devices = FirstGpus(ranks);
  const std::unique_ptr<engine::Engine> engine = engine::MakeTensorRtEngine(options);
  TRY_ASSIGN(const std::unique_ptr<engine::RankGroup> group, engine->Load(plan, directory.path(), deadline));
  std::vector<std::vector<uint16_t>> answers;
  for (int round = 0; round < 2; ++round) {
    Taker taker;
    taker.TakeAll();
    TRY(group->Run(
        Common({{DType::kFloat16, {kMegatronRows, kMlp.k}, HostRegion(std::as_bytes(std::span(x)))}}, ranks,
               taker, deadline)));
    for (int r = 0; r < ranks; ++r) answers.push_back(taker.Values<uint16_t>(r, 0));
  }
  return answers;
}

struct Errors {
  double worst;  // the largest difference over the largest value
  double norm;   // of the difference over that of the values
};

Errors ErrorsOf(const std::vector<double>& got, const std::vector<double>& wanted) {
  double worst = 0;
  double most = 0;
  double difference = 0;
  double all = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const double off = std::fabs(got[i] - wanted[i]);
    worst = std::max(worst, std::isnan(off) ? INFINITY : off);
    most = std::max(most, std::fabs(wanted[i]));
    difference += off * off;
    all += wanted[i] * wanted[i];
  }
  return {worst / most, std::sqrt(difference / all)};
}

std::vector<double> Numbers(const std::vector<uint16_t>& halves) {
  std::vector<double> numbers;
  numbers.reserve(halves.size());
  for (const uint16_t half : halves) numbers.push_back(static_cast<double>(FromHalf(half)));
  return numbers;
}

class Megatron : public ::testing::TestWithParam<int> {};

TEST_P(Megatron, EveryRankAnswersAsOneGpuDoes) {
  const int ranks = GetParam();
  if (Gpus().size() < static_cast<size_t>(ranks))
    GTEST_SKIP() << ranks << " ranks, " << Gpus().size() << " GPUs";
  const std::vector<uint16_t> x = RandomHalves(static_cast<size_t>(kMegatronRows * kMlp.k), 7, 1);
  const auto one = Answers(1, x);
  const auto all = Answers(ranks, x);
  ASSERT_TRUE(one) << one.error().ToString();
  ASSERT_TRUE(all) << all.error().ToString();
  ASSERT_EQ(all->front().size(), one->front().size());
  for (const std::vector<uint16_t>& answer : *all) EXPECT_TRUE(answer == all->front()) << "the ranks differ";
  const std::vector<double> answer = Numbers(all->front());
  const Errors errors = ErrorsOf(answer, Numbers(one->front()));
  std::printf("%d ranks: largest error %.2e of the largest value, norm %.2e\n", ranks, errors.worst,
              errors.norm);
  EXPECT_LE(errors.worst, kLimit);
  EXPECT_LE(errors.norm, kLimit);
  for (const int64_t row : {int64_t{0}, kMegatronRows - 1}) {  // what both are worth, without a GPU library
    const std::vector<double> wanted = MlpRow(kMlp, x.data() + row * kMlp.k);
    const auto begin = answer.begin() + row * kMlp.n;
    EXPECT_LE(ErrorsOf({begin, begin + kMlp.n}, wanted).worst, 2 * kLimit) << "row " << row;
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, Megatron, ::testing::Values(2, 4));

}  // namespace
}  // namespace tessera::gputest
