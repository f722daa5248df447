// Context parallel on GPU ranks by way of the executor, against one GPU.
#include <gtest/gtest.h>

#include "tessera/engine/tensorrt/tensorrt_engine.h"
#include "tests/gpu/answers.h"
#include "tests/gpu/attention.h"
#include "tests/gpu/gpus.h"
#include "tests/gpu/models.h"

namespace tessera::gputest {
namespace {

constexpr double kLimit = 3.6e-3;

Result<CaseTensor> Ask(int ranks, int64_t sequence, const std::vector<uint16_t>& x) {
  TempDirectory directory;
  TRY(WriteAttention(ranks, directory.path()));
  engine::TensorRtOptions options;
  options.devices = FirstGpus(ranks);
  const std::unique_ptr<engine::Engine> engine = engine::MakeTensorRtEngine(options);
  exec::Options how;
  how.verify_files = false;  // the weights are made here
  TRY_ASSIGN(const std::unique_ptr<exec::Executor> executor,
             exec::Executor::Create(directory.path(), *engine, how));
  Answers answers;
  const std::vector<TensorView> inputs = {
      TensorView{DType::kFloat16, {1, sequence, kAttentionHidden}, HostRegion(std::as_bytes(std::span(x)))}};
  for (int round = 0; round < 2; ++round) {  // the first run of the shape, then its CUDA graphs
    TRY(executor->Infer(inputs, answers, Deadline::In(std::chrono::seconds(60))));
  }
  return answers.at(0);
}

class Attention : public ::testing::TestWithParam<std::tuple<int, int64_t>> {};

TEST_P(Attention, RanksAnswerAsOneGpuDoes) {
  const auto [ranks, sequence] = GetParam();
  if (Gpus().size() < static_cast<size_t>(ranks))
    GTEST_SKIP() << ranks << " ranks, " << Gpus().size() << " GPUs";
  if (!HasAttention(ranks)) GTEST_SKIP() << "TESSERA_ATTENTION names no folder that make_cases.py made";
  const std::vector<uint16_t> x = RandomHalves(static_cast<size_t>(sequence * kAttentionHidden), 7, 1);
  const auto wanted = Ask(1, sequence, x);
  const auto got = Ask(ranks, sequence, x);
  ASSERT_TRUE(wanted) << wanted.error().ToString();
  ASSERT_TRUE(got) << got.error().ToString();
  const double error = WorstError(*got, *wanted);
  RecordProperty("error", std::to_string(error));
  const auto bytes = std::as_bytes(std::span(x));
  const double added = WorstError({"x", wanted->type, wanted->shape, {bytes.begin(), bytes.end()}}, *wanted);
  std::printf("%d ranks, sequence %ld: error %.2e; the layers add %.2e to x\n", ranks, sequence, error,
              added);
  EXPECT_GE(added, 5 * kLimit) << "x goes through: an error could not be seen";
  EXPECT_LE(error, kLimit);
}

INSTANTIATE_TEST_SUITE_P(ContextParallel, Attention,
                         ::testing::Combine(::testing::Values(2, 4), ::testing::Values(8192, 32768)));

}  // namespace
}  // namespace tessera::gputest
