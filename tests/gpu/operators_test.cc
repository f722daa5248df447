// Without a GPU: the stand-in knows every operator of the GPU tests' models, and the shapes come out as they
// must.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tessera/graph/onnx.h"
#include "tessera/plan/plan.h"
#include "tests/gpu/cases.h"
#include "tests/gpu/models.h"
#include "tests/nvinfer_standin/program.h"

namespace tessera::gputest {
namespace {

// What a rank has of an output.
Shape LocalShape(const plan::Plan& plan, const CaseTensor& answer) {
  Shape shape = answer.shape;
  for (const plan::TensorPlan& output : plan.outputs) {
    const bool split = output.layout.kind == plan::Layout::Kind::kSplit;
    if (output.spec.name == answer.name && split)
      shape[static_cast<size_t>(output.layout.axis)] /= plan.world_size();
  }
  return shape;
}

// For models whose inputs are whole on every rank.
void ExpectShapes(const ModelCase& model, int rank, const Request& request) {
  const auto plan = plan::ReadPlan(model.directory);
  ASSERT_TRUE(plan) << plan.error().ToString();
  const auto graph = graph::ReadOnnx(model.directory / plan->ranks[static_cast<size_t>(rank)].model.file);
  ASSERT_TRUE(graph) << graph.error().ToString();
  standin::Builder::Io io;
  for (const CaseTensor& input : request.inputs) io.input_shapes[input.name] = input.shape;
  standin::Device device;
  standin::CommunicatorSlot communicator;
  const auto program = standin::Builder::Build(*graph, device, communicator, io);
  ASSERT_TRUE(program) << program.error().ToString();
  for (const CaseTensor& answer : request.answers) {
    EXPECT_EQ((*program)->outputs.at(answer.name), LocalShape(*plan, answer)) << answer.name;
  }
}

TEST(StandinOperators, CoverTheModelsOfTheGpuTests) {
  const auto models = ReadCases();
  ASSERT_TRUE(models) << models.error().ToString();
  if (models->empty()) GTEST_SKIP() << "TESSERA_GPU_MODELS names no folder: tests/gpu/make_cases.py makes it";
  for (const ModelCase& model : *models) {
    SCOPED_TRACE(model.name);
    for (const Request& request : model.requests) {
      for (int rank = 0; rank < model.ranks; ++rank) ExpectShapes(model, rank, request);
    }
  }
}

TEST(StandinOperators, TellNoShapeThatTheDataDecides) {
  const TempDirectory directory;
  Mlp mlp;
  mlp.picked = true;
  ASSERT_TRUE(WriteMlp(mlp, 2, directory.path()));
  const auto graph = graph::ReadOnnx(directory.path() / "model.onnx.rank1");
  ASSERT_TRUE(graph) << graph.error().ToString();
  standin::Builder::Io io;
  io.input_shapes = {{"x", {16, mlp.k}}, {"keep", {16}}};
  standin::CommunicatorSlot communicator;
  const auto program = standin::Builder::Build(*graph, standin::Device(), communicator, io);
  ASSERT_TRUE(program) << program.error().ToString();
  EXPECT_EQ((*program)->outputs.at("y"), (Shape{kDynamic, mlp.n}));
}

// The folder's rank, its weights a hole in a file.
Result<graph::Graph> ReadWithoutWeights(const std::filesystem::path& folder, const TempDirectory& made) {
  std::ifstream list(folder / "weights.txt");
  std::string name;
  list >> name;
  std::filesystem::copy_file(folder / "model.onnx.rank0", made.path() / "model.onnx.rank0");
  { const std::ofstream file(made.path() / name); }
  std::filesystem::resize_file(made.path() / name, uintmax_t{1} << 30);
  return graph::ReadOnnx(made.path() / "model.onnx.rank0");
}

TEST(StandinOperators, RunAttentionAsOneKernelInEveryShard) {
  const char* folder = std::getenv("TESSERA_ATTENTION");
  if (folder == nullptr || !std::filesystem::exists(folder))
    GTEST_SKIP() << "TESSERA_ATTENTION names no folder: tests/gpu/attention_model.py makes it";
  for (const int ranks : {1, 2, 4}) {
    const TempDirectory made;
    const auto graph = ReadWithoutWeights(std::filesystem::path(folder) / std::to_string(ranks), made);
    ASSERT_TRUE(graph) << graph.error().ToString();
    EXPECT_EQ(standin::FindAttentions(*graph).size(), 6U);
    standin::Builder::Io io;
    io.input_shapes["x"] = {1, 32768 / ranks, 4096};
    standin::CommunicatorSlot communicator;
    const auto program = standin::Builder::Build(*graph, standin::Device(), communicator, io);
    ASSERT_TRUE(program) << program.error().ToString();
    EXPECT_EQ((*program)->outputs.at("y"), io.input_shapes["x"]);
  }
}

}  // namespace
}  // namespace tessera::gputest
