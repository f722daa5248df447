#include "tessera/cli/host_tensor.h"

namespace tessera::cli {

Result<HostTensor> MakeTensor(TensorSpec spec) {
  auto access = AccessOf(spec.type);
  if (!access) return Fail(Code::kUnsupported, "tensor '{}': {}", spec.name, access.error().message);
  const auto bytes = BytesOf(spec.type, spec.shape).value();
  return HostTensor{std::move(spec), std::vector<std::byte>(bytes)};
}

}  // namespace tessera::cli
