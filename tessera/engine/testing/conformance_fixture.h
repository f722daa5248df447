// What the cases of conformance.h run with.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "tessera/base/testing/temporary_directory.h"
#include "tessera/engine/testing/plain_step.h"

namespace tessera::engine {

struct EngineUnderTest {
  std::function<std::unique_ptr<Engine>()> make;
  std::filesystem::path models;
};

class EngineConformance : public ::testing::TestWithParam<EngineUnderTest> {
 protected:
  void SetUp() override { engine_ = GetParam().make(); }

  // Loads from `directory` by its plan.json.
  Result<std::unique_ptr<RankGroup>> LoadFrom(const std::filesystem::path& directory,
                                              Deadline deadline = Deadline::Never()) {
    TRY_ASSIGN(const plan::Plan plan, plan::ReadPlan(directory));
    return engine_->Load(plan, directory, deadline);
  }

  std::unique_ptr<RankGroup> Load(const std::string& model) {
    Result<std::unique_ptr<RankGroup>> group = LoadFrom(GetParam().models / model);
    if (group) return *std::move(group);
    ADD_FAILURE() << model << ": " << group.error().ToString();
    return nullptr;
  }

  // A copy of a model, to be spoilt.
  std::filesystem::path Copy(const std::string& model) {
    std::filesystem::copy(GetParam().models / model, scratch_ / model);
    return scratch_ / model;
  }

  static Step ReplicatedStep(int ranks, const std::vector<TensorView>& inputs, OutputSink& sink) {
    return {std::vector<RankInputs>(static_cast<size_t>(ranks), RankInputs{inputs}), &sink,
            Deadline::Never()};
  }

  std::unique_ptr<Engine> engine_;
  const tessera::testing::TemporaryDirectory temporary_;
  const std::filesystem::path scratch_ = temporary_.path();
};

namespace conformance {

inline std::vector<float> Ramp(size_t count, float start = -3) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), start);
  return values;
}

// What the models `mlp*` of make_models.py compute: small whole numbers, exact in any order of summation.
inline std::vector<float> MlpAnswer(const std::vector<float>& x) {
  constexpr int kWidth = 8;
  constexpr int kHidden = 16;
  std::vector<float> y;
  for (size_t row = 0; row < x.size(); row += kWidth) {
    for (int k = 0; k < kWidth; ++k) {
      auto sum = static_cast<float>(k);
      for (int j = 0; j < kHidden; ++j) {
        float h = 0;
        for (int i = 0; i < kWidth; ++i)
          h += x[row + static_cast<size_t>(i)] * static_cast<float>((i + 2 * j) % 5 - 2);
        sum += std::max(h, 0.F) * static_cast<float>((3 * j + k) % 7 - 3);
      }
      y.push_back(sum);
    }
  }
  return y;
}

// Gives every rank its slice of one dense [rows, ranks * columns] buffer: how exec places a split output.
class ColumnSink : public OutputSink {
 public:
  ColumnSink(int ranks, int index, std::vector<float>& whole) : ranks_(ranks), index_(index), whole_(whole) {}

  Result<Region> Place(Rank rank, int index, DType type, const Shape& shape) override {
    if (index != index_) return Region{};
    const size_t row_bytes = BytesOf(type, {shape[1]}).value();
    Region region = HostRegion(std::as_writable_bytes(std::span(whole_)));
    region.data += static_cast<size_t>(rank.value()) * row_bytes;
    region.rows = static_cast<size_t>(shape[0]);
    region.row_bytes = row_bytes;
    region.pitch = row_bytes * static_cast<size_t>(ranks_);
    return region;
  }

 private:
  int ranks_;
  int index_;
  std::vector<float>& whole_;
};

class RefusingSink : public OutputSink {
 public:
  Result<Region> Place(Rank /*rank*/, int /*index*/, DType /*type*/, const Shape& /*shape*/) override {
    return Fail(Code::kUnavailable, "no room");
  }
};

}  // namespace conformance

}  // namespace tessera::engine
