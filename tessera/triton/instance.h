// One instance of a model: an executor of its own, and the requests that the server gives it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tessera/engine/watchdog.h"
#include "tessera/exec/executor.h"
#include "tessera/triton/batch.h"
#include "tessera/triton/model.h"

namespace tessera::triton {

class Instance {
 public:
  // `model` outlives the instance. Errors: those of loading.
  static Result<std::unique_ptr<Instance>> Create(TRITONBACKEND_ModelInstance* instance, Model& model);

  // Answers and releases every one of `requests`. One call at a time. Throws only before it has taken any.
  void Execute(std::span<TRITONBACKEND_Request* const> requests);

 private:
  Instance(TRITONBACKEND_ModelInstance* instance, Model& model, LoadedModel loaded,
           std::unique_ptr<engine::Watchdog> slow, std::unique_ptr<engine::Mover> in,
           std::unique_ptr<engine::Mover> out);

  void Serve(std::span<Request> requests, uint64_t exec_start);
  void RunStep(std::span<Request* const> requests, uint64_t exec_start);
  Result<void> Infer(std::span<Request* const> requests, Timeline& times);
  void CountFailure(const Error& error);
  void Report(std::span<Request* const> requests, const Timeline& times) noexcept;

  TRITONBACKEND_ModelInstance* instance_;
  Model& model_;
  LoadedModel loaded_;
  std::unique_ptr<engine::Watchdog> slow_;  // of a step that may hang
  Signature signature_;                     // the model's, with this instance's device
  StepInputs inputs_;
  StepOutputs outputs_;
};

}  // namespace tessera::triton
