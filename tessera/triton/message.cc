#include "tessera/triton/message.h"

#include "tessera/base/unique_handle.h"
#include "tessera/triton/error.h"

namespace tessera::triton {
namespace {

struct MessageTraits {
  using Handle = TRITONSERVER_Message*;
  static constexpr Handle kNone = nullptr;
  // Deleting what we own fails only for a null message.
  static void Close(Handle message) noexcept { Discard(TRITONSERVER_MessageDelete(message)); }
};
using UniqueMessage = UniqueHandle<MessageTraits>;

Result<nlohmann::json> Parse(TRITONSERVER_Message* message) {
  const char* text = nullptr;
  size_t size = 0;
  TRY(Check(TRITONSERVER_MessageSerializeToJson(message, &text, &size)));
  nlohmann::json parsed = nlohmann::json::parse(text, text + size, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) return Fail(Code::kInternal, "the server's message is not JSON");
  return parsed;
}

}  // namespace

Result<nlohmann::json> ModelConfig(TRITONBACKEND_Model* model) {
  TRITONSERVER_Message* message = nullptr;
  TRY(Check(TRITONBACKEND_ModelConfig(model, kConfigVersion, &message)));
  UniqueMessage owned(message);
  return Parse(owned.get());
}

Result<void> SetModelConfig(TRITONBACKEND_Model* model, const nlohmann::json& config) {
  std::string text = config.dump();
  TRITONSERVER_Message* message = nullptr;
  TRY(Check(TRITONSERVER_MessageNewFromSerializedJson(&message, text.data(), text.size())));
  UniqueMessage owned(message);
  return Check(TRITONBACKEND_ModelSetConfig(model, kConfigVersion, owned.get()));
}

Result<nlohmann::json> BackendCommandLine(TRITONBACKEND_Backend* backend) {
  TRITONSERVER_Message* message = nullptr;  // stays the backend's
  TRY(Check(TRITONBACKEND_BackendConfig(backend, &message)));
  TRY_ASSIGN(nlohmann::json config, Parse(message));
  auto cmdline = config.find("cmdline");
  return cmdline != config.end() && cmdline->is_object() ? *cmdline : nlohmann::json::object();
}

}  // namespace tessera::triton
