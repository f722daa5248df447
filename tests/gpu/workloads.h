// The models that speeds are measured with, at every level: executor, server in the process, server over
// gRPC.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/tensor.h"
#include "tessera/plan/plan.h"

namespace tessera::gputest {

// A model of one fp16 input "x" and one fp16 output "y".
struct Workload {
  std::string name;
  Shape x, y;                  // kDynamic where it has a size of its own
  std::vector<int64_t> sizes;  // to measure
  bool is_split = false;       // along that dimension over the ranks; else every rank has all of x and y
  // Engine files and plan.json.
  std::function<Result<void>(int ranks, const std::filesystem::path& directory)> write;

  Shape part_of_x(int64_t size, int world) const;
  Shape part_of_y(int64_t size, int world) const;
};

// The MLP 4096 -> 8192 -> 4096; six attention layers where attention_model.py has made them for each world.
std::vector<Workload> Workloads(const std::vector<int>& worlds);

}  // namespace tessera::gputest
