#include "tessera/cli/host_tensor.h"

#include <exception>

namespace tessera::cli {

Result<HostTensor> MakeTensor(TensorSpec spec) {
  auto access = AccessOf(spec.type);
  if (!access) return Fail(Code::kUnsupported, "tensor '{}': {}", spec.name, access.error().message);
  const auto bytes = BytesOf(spec.type, spec.shape).value();
  try {
    std::vector<std::byte> memory(bytes);
    return HostTensor{std::move(spec), std::move(memory)};
  } catch (const std::exception&) {  // none so large, or none of that size free
    return Fail(Code::kUnavailable, "tensor '{}' {} {} takes {} bytes, which are not to be had", spec.name,
                DTypeName(spec.type), ToString(spec.shape), bytes);
  }
}

}  // namespace tessera::cli
