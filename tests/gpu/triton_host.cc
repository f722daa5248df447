#include "tests/gpu/triton_host.h"

#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/gpu/triton_host_api.h"

namespace tessera::gputest {
namespace {

#define TESSERA_TRITON_FUNCTIONS(F)                                                                    \
  F(ErrorMessage)                                                                                      \
  F(ErrorDelete)                                                                                       \
  F(MessageSerializeToJson) F(MessageDelete) F(ServerOptionsNew) F(ServerOptionsDelete)                \
      F(ServerOptionsSetModelRepositoryPath) F(ServerOptionsSetBackendDirectory)                       \
          F(ServerOptionsSetStrictModelConfig) F(ServerNew) F(ServerStop) F(ServerDelete)              \
              F(ServerModelStatistics) F(ServerInferAsync) F(ResponseAllocatorNew)                     \
                  F(ResponseAllocatorDelete) F(InferenceRequestNew) F(InferenceRequestDelete)          \
                      F(InferenceRequestAddInput) F(InferenceRequestAppendInputData)                   \
                          F(InferenceRequestSetReleaseCallback) F(InferenceRequestSetResponseCallback) \
                              F(InferenceResponseError) F(InferenceResponseDelete)

struct Api {
// NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration
#define TESSERA_MEMBER(name) decltype(&TRITONSERVER_##name) name = nullptr;
  TESSERA_TRITON_FUNCTIONS(TESSERA_MEMBER)
#undef TESSERA_MEMBER
};

// RTLD_GLOBAL: a backend takes the server's functions from the process.
Result<Api> OpenApi() {
  const char* path = std::getenv("TESSERA_LIBTRITONSERVER");
  if (path == nullptr)
    return Fail(Code::kInvalidArgument, "TESSERA_LIBTRITONSERVER does not say where it is");
  void* library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) return Fail(Code::kNotFound, "{}", dlerror());
  Api api;
#define TESSERA_FIND(name)                                                                \
  api.name = reinterpret_cast<decltype(api.name)>(dlsym(library, "TRITONSERVER_" #name)); \
  if (api.name == nullptr) return Fail(Code::kNotFound, "'{}' has no TRITONSERVER_{}", path, #name);
  TESSERA_TRITON_FUNCTIONS(TESSERA_FIND)
#undef TESSERA_FIND
  return api;
}

// One request under way.
struct Flight {
  const Api* api;
  const Request* request;
  std::string error;
  std::atomic<bool> answered{false};
  std::atomic<bool> released{false};
};

TRITONSERVER_Error* Allocate(TRITONSERVER_ResponseAllocator*, const char*, size_t bytes,
                             TRITONSERVER_MemoryType, int64_t, void* userp, void** buffer,
                             void** buffer_userp, TRITONSERVER_MemoryType* type, int64_t* id) {
  const Region& y = static_cast<Flight*>(userp)->request->y;
  *buffer = bytes <= y.bytes() ? y.data : nullptr;  // the backend refuses to write there
  *buffer_userp = nullptr;
  *type = TRITONSERVER_MEMORY_GPU;
  *id = y.device.value();
  return nullptr;
}

TRITONSERVER_Error* Keep(TRITONSERVER_ResponseAllocator*, void*, void*, size_t, TRITONSERVER_MemoryType,
                         int64_t) {
  return nullptr;
}

void Released(TRITONSERVER_InferenceRequest* request, uint32_t, void* userp) {
  auto* flight = static_cast<Flight*>(userp);
  (void)flight->api->InferenceRequestDelete(request);
  flight->released.store(true);
}

void Answered(TRITONSERVER_InferenceResponse* response, uint32_t, void* userp) {
  auto* flight = static_cast<Flight*>(userp);
  if (response != nullptr) {
    if (TRITONSERVER_Error* error = flight->api->InferenceResponseError(response); error != nullptr)
      flight->error = flight->api->ErrorMessage(error);
    (void)flight->api->InferenceResponseDelete(response);
  }
  flight->answered.store(true);
}

class Host final : public TritonHost {
 public:
  explicit Host(Api api) : api_(api) {}
  ~Host() override {
    if (server_ != nullptr) (void)api_.ServerStop(server_);
    if (server_ != nullptr) (void)api_.ServerDelete(server_);
    if (allocator_ != nullptr) (void)api_.ResponseAllocatorDelete(allocator_);
  }

  Result<void> Open(const std::filesystem::path& repository);
  Result<void> Infer(const Request& request) override;
  Result<Computed> Statistics(const std::string& model) override;

 private:
  Result<void> Check(TRITONSERVER_Error* error) const {
    if (error == nullptr) return {};
    auto failed = Fail(Code::kInternal, "{}", api_.ErrorMessage(error));
    api_.ErrorDelete(error);
    return failed;
  }
  Result<void> Fill(TRITONSERVER_InferenceRequest* made, Flight& flight) const;

  const Api api_;
  TRITONSERVER_Server* server_ = nullptr;
  TRITONSERVER_ResponseAllocator* allocator_ = nullptr;
};

Result<void> Host::Open(const std::filesystem::path& repository) {
  const char* backends = std::getenv("TESSERA_BACKENDS");
  if (backends == nullptr)
    return Fail(Code::kInvalidArgument, "TESSERA_BACKENDS does not say where they are");
  TRITONSERVER_ServerOptions* options = nullptr;
  TRY(Check(api_.ServerOptionsNew(&options)));
  TRY(Check(api_.ServerOptionsSetModelRepositoryPath(options, repository.c_str())));
  TRY(Check(api_.ServerOptionsSetBackendDirectory(options, backends)));
  TRY(Check(api_.ServerOptionsSetStrictModelConfig(options, false)));
  TRY(Check(api_.ServerNew(&server_, options)));
  TRY(Check(api_.ServerOptionsDelete(options)));
  return Check(api_.ResponseAllocatorNew(&allocator_, Allocate, Keep, nullptr));
}

Result<void> Host::Fill(TRITONSERVER_InferenceRequest* made, Flight& flight) const {
  const Request& request = *flight.request;
  TRY(Check(api_.InferenceRequestAddInput(made, "x", TRITONSERVER_TYPE_FP16, request.shape.data(),
                                          request.shape.size())));
  TRY(Check(api_.InferenceRequestAppendInputData(made, "x", request.x.data, request.x.bytes(),
                                                 TRITONSERVER_MEMORY_GPU, request.x.device.value())));
  TRY(Check(api_.InferenceRequestSetReleaseCallback(made, Released, &flight)));
  return Check(api_.InferenceRequestSetResponseCallback(made, allocator_, &flight, Answered, &flight));
}

Result<void> Host::Infer(const Request& request) {
  Flight flight{&api_, &request, {}};
  TRITONSERVER_InferenceRequest* made = nullptr;
  TRY(Check(api_.InferenceRequestNew(&made, server_, request.model.c_str(), -1)));
  Result<void> sent = Fill(made, flight);
  if (sent) sent = Check(api_.ServerInferAsync(server_, made, nullptr));
  if (!sent) {
    (void)api_.InferenceRequestDelete(made);  // it is still ours
    return sent;
  }
  while (!flight.answered.load(std::memory_order_acquire) ||
         !flight.released.load(std::memory_order_acquire)) {
  }
  if (!flight.error.empty()) return Fail(Code::kInternal, "{}", flight.error);
  return {};
}

Result<Computed> Host::Statistics(const std::string& model) {
  TRITONSERVER_Message* message = nullptr;
  const char* text = nullptr;
  size_t size = 0;
  TRY(Check(api_.ServerModelStatistics(server_, model.c_str(), -1, &message)));
  TRY(Check(api_.MessageSerializeToJson(message, &text, &size)));
  const auto all = nlohmann::json::parse(std::string(text, size));
  TRY(Check(api_.MessageDelete(message)));
  const auto& infer = all.at("model_stats").at(0).at("inference_stats").at("compute_infer");
  return Computed{infer.at("count").get<double>(), infer.at("ns").get<double>() / 1e3};
}

}  // namespace

Result<std::unique_ptr<TritonHost>> TritonHost::Start(const std::filesystem::path& repository) {
  TRY_ASSIGN(const Api api, OpenApi());
  auto host = std::make_unique<Host>(api);
  TRY(host->Open(repository));
  return std::unique_ptr<TritonHost>(std::move(host));
}

}  // namespace tessera::gputest
