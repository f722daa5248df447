// One rank's ONNX file, read, checked against the plan and compiled. Private to the adapter.
#pragma once

#include <filesystem>
#include <memory>
#include <openvino/runtime/compiled_model.hpp>
#include <openvino/runtime/core.hpp>
#include <vector>

#include "tessera/base/tensor.h"
#include "tessera/engine/openvino/link_collectives.h"
#include "tessera/plan/plan.h"

namespace tessera::engine::openvino {

struct RankModel {
  ov::CompiledModel compiled;
  std::vector<TensorSpec> inputs;  // without the token
  std::vector<TensorSpec> outputs;
  bool has_token = false;   // a last input more than `inputs`, see LinkCollectives
  bool takes_zeros = true;  // a step on inputs of zeros does not end the process
  std::shared_ptr<CollectiveSite> site;
};

// Reads and compiles the file of the rank that `end` belongs to, to run on `threads` threads: 1 = the calling
// one. Errors: kNotFound, kInvalidArgument, kUnsupported; the line names the file.
Result<RankModel> LoadRankModel(const plan::Plan& plan, const std::filesystem::path& directory,
                                comm::Communicator& end, int threads);

}  // namespace tessera::engine::openvino
