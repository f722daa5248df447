// The engine of CPU ranks: OpenVINO's CPU plugin, one thread a rank, collectives through a Communicator.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "tessera/comm/communicator.h"
#include "tessera/engine/rank_group.h"

namespace tessera::engine {

// Makes the ends of one group, in rank order.
using CommunicatorFactory =
    std::function<Result<std::vector<std::unique_ptr<comm::Communicator>>>(int world_size)>;

struct OpenVinoOptions {
  // Threads that each rank computes on; 0 = the cores shared out, at least one. One needs no thread pool.
  int threads_per_rank = 0;
  // The ranks' communicators; null = in this process's memory (comm/inproc).
  CommunicatorFactory make_communicators = {};
};

// Loads `model.onnx.rank{r}` (or a lone model.onnx as one rank). All of a plan's ranks run in this process.
// Types that the CPU plugin has not are computed wider or narrower (f16 and bf16 as f32, i64 as i32), as
// OpenVINO does it.
std::unique_ptr<Engine> MakeOpenVinoEngine(OpenVinoOptions options = {});

}  // namespace tessera::engine
