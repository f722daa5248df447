// Without a GPU: the stand-in knows every operator of the GPU tests' models, and the shapes come out as they
// must.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tessera/graph/onnx.h"
#include "tessera/plan/plan.h"
#include "tests/gpu/cases.h"
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
  const auto graph = graph::ReadOnnx(model.directory / fmt::format("model.onnx.rank{}", rank));
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

}  // namespace
}  // namespace tessera::gputest
