// The entry points that the server calls, found by name. Each does one thing under Guarded: nothing that
// happens here may end the server.
#include <memory>
#include <span>

#include "tessera/base/log.h"
#include "tessera/base/unfinished.h"
#include "tessera/engine/registry/registry.h"
#include "tessera/triton/error.h"
#include "tessera/triton/instance.h"
#include "tessera/triton/log.h"
#include "tessera/triton/message.h"
#include "tessera/triton/model.h"

#define TESSERA_EXPORT extern "C" __attribute__((visibility("default")))

namespace tessera::triton {
namespace {

Result<void> CheckApiVersion() {
  uint32_t major = 0;
  uint32_t minor = 0;
  TRY(Check(TRITONBACKEND_ApiVersion(&major, &minor)));
  if (major == TRITONBACKEND_API_VERSION_MAJOR && minor >= TRITONBACKEND_API_VERSION_MINOR) return {};
  return Fail(Code::kUnsupported, "the server's backend API is {}.{}, this backend wants {}.{} or newer",
              major, minor, TRITONBACKEND_API_VERSION_MAJOR, TRITONBACKEND_API_VERSION_MINOR);
}

Result<void> Initialize(TRITONBACKEND_Backend* backend) {
  TRY(CheckApiVersion());
  UseServerLog();
  TRY_ASSIGN(Metrics metrics, Metrics::Create());
  TRY_ASSIGN(const nlohmann::json written, BackendCommandLine(backend));
  TRY_ASSIGN(CommandLine options, ReadCommandLine(written));
  for (const std::string& line : options.without_effect) TESSERA_LOG(kInfo, "{}", line);
  for (const std::vector<DeviceId>& gpus : options.connect) TRY(engine::ConnectAhead(gpus));
  if (!options.connect.empty()) ExitDespiteUnfinished();  // CUDA has begun
  auto state = std::make_unique<Backend>(Backend{std::move(metrics), std::move(options)});
  TRY(Check(TRITONBACKEND_BackendSetState(backend, state.get())));
  (void)state.release();  // the server's until Finalize
  return {};
}

Result<void> Finalize(TRITONBACKEND_Backend* backend) {
  void* state = nullptr;
  TRY(Check(TRITONBACKEND_BackendState(backend, &state)));
  delete static_cast<Backend*>(state);
  LeaveServerLog();
  return {};
}

// KIND_MODEL: the ranks' devices are the plan's affair, not the server's.
Result<void> Attributes(TRITONBACKEND_BackendAttribute* attributes) {
  TRY(Check(TRITONBACKEND_BackendAttributeAddPreferredInstanceGroup(
      attributes, TRITONSERVER_INSTANCEGROUPKIND_MODEL, 1, nullptr, 0)));
  return Check(TRITONBACKEND_BackendAttributeSetParallelModelInstanceLoading(attributes, true));
}

Result<void> ModelInitialize(TRITONBACKEND_Model* model) {
  FollowServerVerbosity();
  TRITONBACKEND_Backend* backend = nullptr;
  void* backend_state = nullptr;
  TRY(Check(TRITONBACKEND_ModelBackend(model, &backend)));
  TRY(Check(TRITONBACKEND_BackendState(backend, &backend_state)));
  TRY_ASSIGN(std::unique_ptr<Model> state, Model::Create(model, *static_cast<Backend*>(backend_state)));
  TRY(Check(TRITONBACKEND_ModelSetState(model, state.get())));
  (void)state.release();
  return {};
}

Result<void> ModelFinalize(TRITONBACKEND_Model* model) {
  void* state = nullptr;
  TRY(Check(TRITONBACKEND_ModelState(model, &state)));
  delete static_cast<Model*>(state);
  return {};
}

Result<void> InstanceInitialize(TRITONBACKEND_ModelInstance* instance) {
  TRITONBACKEND_Model* model = nullptr;
  void* model_state = nullptr;
  TRY(Check(TRITONBACKEND_ModelInstanceModel(instance, &model)));
  TRY(Check(TRITONBACKEND_ModelState(model, &model_state)));
  TRY_ASSIGN(std::unique_ptr<Instance> state, Instance::Create(instance, *static_cast<Model*>(model_state)));
  TRY(Check(TRITONBACKEND_ModelInstanceSetState(instance, state.get())));
  (void)state.release();
  return {};
}

Result<Instance*> State(TRITONBACKEND_ModelInstance* instance) {
  void* state = nullptr;
  TRY(Check(TRITONBACKEND_ModelInstanceState(instance, &state)));
  return static_cast<Instance*>(state);
}

Result<void> InstanceFinalize(TRITONBACKEND_ModelInstance* instance) {
  TRY_ASSIGN(Instance * state, State(instance));
  delete state;
  return {};
}

Result<void> InstanceReady(TRITONBACKEND_ModelInstance* instance) {
  TRY_ASSIGN(const Instance* const state, State(instance));
  return state->CheckReady();
}

Result<void> Execute(TRITONBACKEND_ModelInstance* instance,
                     std::span<TRITONBACKEND_Request* const> requests) {
  TRY_ASSIGN(Instance * state, State(instance));
  state->Execute(requests);
  return {};
}

}  // namespace
}  // namespace tessera::triton

namespace tt = tessera::triton;

TESSERA_EXPORT TRITONSERVER_Error* TRITONBACKEND_Initialize(TRITONBACKEND_Backend* backend) {
  return tt::Guarded([&] { return tt::Initialize(backend); });
}

TESSERA_EXPORT TRITONSERVER_Error* TRITONBACKEND_Finalize(TRITONBACKEND_Backend* backend) {
  return tt::Guarded([&] { return tt::Finalize(backend); });
}

TESSERA_EXPORT TRITONSERVER_Error* TRITONBACKEND_GetBackendAttribute(
    TRITONBACKEND_Backend*, TRITONBACKEND_BackendAttribute* attributes) {
  return tt::Guarded([&] { return tt::Attributes(attributes); });
}

TESSERA_EXPORT TRITONSERVER_Error* TRITONBACKEND_ModelInitialize(TRITONBACKEND_Model* model) {
  return tt::Guarded([&] { return tt::ModelInitialize(model); });
}

TESSERA_EXPORT TRITONSERVER_Error* TRITONBACKEND_ModelFinalize(TRITONBACKEND_Model* model) {
  return tt::Guarded([&] { return tt::ModelFinalize(model); });
}

TESSERA_EXPORT TRITONSERVER_Error* TRITONBACKEND_ModelInstanceInitialize(
    TRITONBACKEND_ModelInstance* instance) {
  return tt::Guarded([&] { return tt::InstanceInitialize(instance); });
}

TESSERA_EXPORT TRITONSERVER_Error* TRITONBACKEND_ModelInstanceFinalize(
    TRITONBACKEND_ModelInstance* instance) {
  return tt::Guarded([&] { return tt::InstanceFinalize(instance); });
}

// For a model's and the server's readiness; servers from before December 2025 do not ask.
TESSERA_EXPORT TRITONSERVER_Error* TRITONBACKEND_ModelInstanceReady(TRITONBACKEND_ModelInstance* instance) {
  return tt::Guarded([&] { return tt::InstanceReady(instance); });
}

TESSERA_EXPORT TRITONSERVER_Error* TRITONBACKEND_ModelInstanceExecute(TRITONBACKEND_ModelInstance* instance,
                                                                      TRITONBACKEND_Request** requests,
                                                                      uint32_t request_count) {
  return tt::Guarded([&] { return tt::Execute(instance, {requests, request_count}); });
}
