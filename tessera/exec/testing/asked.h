// Requests of one float, for tests of what an executor does with several.
#pragma once

#include <future>
#include <span>
#include <utility>

#include "tessera/exec/executor.h"
#include "tessera/exec/testing/plan_directory.h"

namespace tessera::exec {

// y = x + 1, both of one float.
inline Result<void> AddOne(const engine::Step& step) {
  TRY_ASSIGN(const Region place, step.sink->Place(Rank{0}, 0, DType::kFloat32, {1}));
  const float y = *reinterpret_cast<const float*>(step.ranks[0].tensors[0].data.data) + 1;
  CopyHost(HostRegion(std::as_bytes(std::span(&y, 1))), place);
  return {};
}

// A request with all that has to stay until it is answered.
struct Asked {
  explicit Asked(float value) : x(value) {}
  std::span<const TensorView> inputs() const { return std::span(&view, 1); }
  float x;
  const TensorView view{DType::kFloat32, {1}, HostRegion(std::as_bytes(std::span(&x, 1)))};
  KeepingTarget target;
  std::promise<Result<InferReport>> answer;
  std::future<Result<InferReport>> ready = answer.get_future();

  void Start(Executor& executor) {
    executor.Start(inputs(), target,
                   [this](Result<InferReport> report) { answer.set_value(std::move(report)); });
  }
  float y() const { return target.kept.at(0).values.at(0); }
};

}  // namespace tessera::exec
