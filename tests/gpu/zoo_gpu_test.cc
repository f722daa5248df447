// Models that `tessera shard` cut, on GPU ranks by way of the executor, against the answers of onnxruntime
// and of CPU ranks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "tessera/base/file.h"
#include "tessera/engine/tensorrt/tensorrt_engine.h"
#include "tessera/plan/probe_file.h"
#include "tests/gpu/answers.h"
#include "tests/gpu/gpus.h"
#include "tests/gpu/models.h"

namespace tessera::gputest {
namespace {

// The ranks add up in another order; fp16 models are compared with their fp32 selves.
double LimitOf(const CaseTensor& got, const CaseTensor& wanted) {
  if (wanted.limit > 0) return wanted.limit;
  return got.type == DType::kFloat16 ? 5e-3 : 1e-4;
}

// The first request is what the ranks are tried with when they are loaded.
Result<plan::Probe> RecordFirst(const plan::Plan& plan, const Request& request,
                                const std::filesystem::path& directory) {
  std::vector<TensorView> inputs;
  std::vector<TensorView> answers;
  std::vector<double> tolerances;
  const auto find = [](const std::vector<CaseTensor>& tensors, const std::string& name) {
    return std::find_if(tensors.begin(), tensors.end(),
                        [&](const CaseTensor& tensor) { return tensor.name == name; });
  };
  for (const plan::TensorPlan& input : plan.inputs) {
    const auto tensor = find(request.inputs, input.spec.name);
    if (tensor == request.inputs.end()) return Fail(Code::kNotFound, "no input '{}'", input.spec.name);
    inputs.push_back({tensor->type, tensor->shape, HostRegion(Bytes(tensor->bytes))});
  }
  for (const plan::TensorPlan& output : plan.outputs) {
    const auto tensor = find(request.answers, output.spec.name);
    if (tensor == request.answers.end()) return Fail(Code::kNotFound, "no answer '{}'", output.spec.name);
    if (tensor->type != output.spec.type)
      return Fail(Code::kUnsupported, "the answer is of another type than the output '{}'", output.spec.name);
    answers.push_back({tensor->type, tensor->shape, HostRegion(Bytes(tensor->bytes))});
    tolerances.push_back(LimitOf(*tensor, *tensor));
  }
  return plan::WriteProbe(inputs, answers, tolerances, "model", directory);
}

// The case's directory again, with the stand-in's plans in place of the ONNX files.
Result<void> WritePlans(const ModelCase& model, const std::filesystem::path& directory) {
  TRY_ASSIGN(plan::Plan plan, plan::ReadPlan(model.directory));
  for (size_t r = 0; r < plan.ranks.size(); ++r) {
    plan::Artifact& file = plan.ranks[r].model;
    const standin::PlanFile standin{model.directory / file.file, static_cast<int>(r), {ProfileOf(model)}};
    file.file = fmt::format("model.plan.rank{}", r);
    TRY(WriteFileAtomically(directory / file.file, standin::PrintPlan(standin)));
  }
  auto probe = RecordFirst(plan, model.requests.front(), directory);
  if (probe) {
    plan.probe = *std::move(probe);
  } else if (probe.error().code != Code::kUnsupported) {
    return Forward(std::move(probe));
  }
  return plan::WritePlan(plan, directory);
}

class Zoo : public ::testing::TestWithParam<ModelCase> {
 protected:
  void SetUp() override {
    const auto ranks = static_cast<size_t>(GetParam().ranks);
    if (Gpus().size() < ranks) GTEST_SKIP() << ranks << " ranks, " << Gpus().size() << " GPUs";
    const Result<void> written = WritePlans(GetParam(), directory_.path());
    ASSERT_TRUE(written) << written.error().ToString();
  }

  std::unique_ptr<exec::Executor> Load(engine::TensorRtOptions options = {}) {
    options.devices = FirstGpus(GetParam().ranks);
    engine_ = engine::MakeTensorRtEngine(options);
    exec::Options how;
    how.verify_files = false;  // the plans are not the files that the plan's sums are of
    auto made = exec::Executor::Create(directory_.path(), *engine_, how);
    if (!made) ADD_FAILURE() << made.error().ToString();
    return made ? *std::move(made) : nullptr;
  }

  // Inputs in the executor's order, answers by name.
  static void ExpectAnswers(exec::Executor& executor, const Request& request) {
    std::vector<TensorView> inputs;
    for (const TensorSpec& spec : executor.inputs()) {
      for (const CaseTensor& input : request.inputs) {
        if (input.name != spec.name) continue;
        inputs.push_back({input.type, input.shape, HostRegion(Bytes(input.bytes))});
      }
    }
    Answers answers;
    const auto report = executor.Infer(inputs, answers, Deadline::In(std::chrono::seconds(60)));
    ASSERT_TRUE(report) << report.error().ToString();
    ExpectAll(executor, answers, request.answers, "onnxruntime");
    ExpectAll(executor, answers, request.cpu, "CPU ranks");
  }

  static void ExpectAll(const exec::Executor& executor, const Answers& answers,
                        const std::vector<CaseTensor>& all, const char* whose) {
    for (const CaseTensor& wanted : all) {
      for (size_t i = 0; i < executor.outputs().size(); ++i) {
        if (executor.outputs()[i].name != wanted.name) continue;
        EXPECT_EQ(answers.at(i).shape, wanted.shape) << whose << ": " << wanted.name;
        EXPECT_LE(WorstError(answers.at(i), wanted), LimitOf(answers.at(i), wanted))
            << whose << ": " << wanted.name << " " << ToString(wanted.shape);
      }
    }
  }

  TempDirectory directory_;
  std::unique_ptr<engine::Engine> engine_;
};

TEST_P(Zoo, AnswersAsOnnxruntimeDoes) {
  auto executor = Load();
  ASSERT_TRUE(executor);
  for (int round = 0; round < 2; ++round) {  // the first run of a shape, then its CUDA graphs
    for (const Request& request : GetParam().requests) ExpectAnswers(*executor, request);
  }
}

TEST_P(Zoo, AnswersAsOnnxruntimeDoesWithoutCudaGraphs) {
  engine::TensorRtOptions options;
  options.cuda_graphs = false;
  options.replication = engine::ReplicationWay::kGather;
  options.gather_from = 1;  // and with every input in slices
  auto executor = Load(options);
  ASSERT_TRUE(executor);
  for (const Request& request : GetParam().requests) ExpectAnswers(*executor, request);
}

std::vector<ModelCase> Cases() {
  auto cases = ReadCases();
  if (cases) return *std::move(cases);
  std::fprintf(stderr, "%s\n", cases.error().ToString().c_str());
  std::abort();  // before the first test: nothing else would show that the cases are missing
}

std::string CaseName(const ::testing::TestParamInfo<ModelCase>& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Zoo);
INSTANTIATE_TEST_SUITE_P(Sharded, Zoo, ::testing::ValuesIn(Cases()), CaseName);

}  // namespace
}  // namespace tessera::gputest
