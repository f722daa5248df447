// Plans for tests, and a directory with a plan and files to match.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "tessera/base/sha256.h"
#include "tessera/base/testing/temporary_directory.h"
#include "tessera/exec/executor.h"
#include "tessera/plan/plan.h"

namespace tessera::exec {

// A float tensor of a plan; dimensions that `dims` does not name have no name.
inline plan::TensorPlan Planned(const char* name, Shape shape, plan::Layout layout = {},
                                std::vector<std::string> dims = {}) {
  dims.resize(shape.size());
  return {{name, DType::kFloat32, std::move(shape)}, std::move(dims), layout};
}

// Removed with the object.
class PlanDirectory {
 public:
  const std::filesystem::path& path() const { return directory_.path(); }

  void Write(const std::string& file, const std::string& text) const { std::ofstream(path() / file) << text; }

  // Writes a plan of these tensors, without collectives.
  Result<void> WritePlan(int ranks, std::vector<plan::TensorPlan> inputs,
                         std::vector<plan::TensorPlan> outputs) const {
    plan::Plan plan;
    plan.model_name = "fake";
    plan.strategy = "tensor";
    plan.engine = "fake";
    plan.mesh = {{"tp", ranks}};
    for (int r = 0; r < ranks; ++r) {
      const std::string file = "model.onnx.rank" + std::to_string(r);
      Write(file, file);
      TRY_ASSIGN(const std::string sha256, Sha256OfFile(path() / file));
      plan::RankPlan rank;
      rank.model = {file, ByteCount{file.size()}, sha256};
      plan.ranks.push_back(rank);
    }
    plan.inputs = std::move(inputs);
    plan.outputs = std::move(outputs);
    return plan::WritePlan(plan, path());
  }

 private:
  const tessera::testing::TemporaryDirectory directory_;
};

// Keeps outputs in vectors, dense; what a test or a tool wants.
class KeepingTarget final : public OutputTarget {
 public:
  Result<Region> Place(int index, DType type, const Shape& shape) override {
    if (kept.size() <= static_cast<size_t>(index)) kept.resize(static_cast<size_t>(index) + 1);
    Output& output = kept[static_cast<size_t>(index)];
    output = {shape, std::vector<float>(BytesOf(type, shape).value() / sizeof(float))};
    return HostRegion(std::as_writable_bytes(std::span(output.values)));
  }

  struct Output {
    Shape shape;
    std::vector<float> values;
  };
  std::vector<Output> kept;
};

}  // namespace tessera::exec
