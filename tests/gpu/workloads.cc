#include "tests/gpu/workloads.h"

#include <algorithm>
#include <cstdio>

#include "tests/gpu/attention.h"
#include "tests/gpu/models.h"

namespace tessera::gputest {
namespace {

Shape WithSize(Shape shape, int64_t size) {
  std::replace(shape.begin(), shape.end(), kDynamic, size);
  return shape;
}

Workload MlpWork() {
  const Mlp mlp{4096, 8192, 4096, 2048, 2048};
  return {"mlp",
          {kDynamic, mlp.k},
          {kDynamic, mlp.n},
          {2048},
          false,
          [mlp](int ranks, const auto& directory) -> Result<void> {
            TRY_ASSIGN(plan::Plan plan, WriteMlp(mlp, ranks, directory));
            return CompletePlan(std::move(plan), directory);
          }};
}

Workload AttentionWork() {
  const Shape shape = {1, kDynamic, kAttentionHidden};
  return {
      "attention", shape, shape, {8192, 32768}, true, [](int ranks, const auto& directory) -> Result<void> {
        TRY_ASSIGN(plan::Plan plan, WriteAttention(ranks, directory));
        return CompletePlan(std::move(plan), directory);
      }};
}

}  // namespace

Shape Workload::part_of_x(int64_t size, int world) const {
  return WithSize(x, is_split ? size / world : size);
}

Shape Workload::part_of_y(int64_t size, int world) const {
  return WithSize(y, is_split ? size / world : size);
}

std::vector<Workload> Workloads(const std::vector<int>& worlds) {
  std::vector<Workload> all = {MlpWork()};
  if (std::all_of(worlds.begin(), worlds.end(), HasAttention)) {
    all.push_back(AttentionWork());
  } else {
    std::fprintf(stderr, "without attention: TESSERA_ATTENTION names no folder of attention_model.py\n");
  }
  return all;
}

}  // namespace tessera::gputest
