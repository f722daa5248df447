#include "tessera/comm/nccl/status.h"

#include <string_view>

namespace tessera::comm {

tl::unexpected<Error> FailedNccl(ncclResult_t status, const char* call, ncclComm_t comm, const char* file,
                                 int line) {
  std::string_view name(call);
  name = name.substr(0, name.find('('));
  const char* detail = ncclGetLastError(comm);
  Error error;
  error.code = status == ncclRemoteError ? Code::kPeerLost : Code::kInternal;
  error.message = fmt::format("{}: {}{}{}", name, ncclGetErrorString(status),
                              detail != nullptr && *detail != 0 ? ": " : "", detail == nullptr ? "" : detail);
  error.file = file;
  error.line = line;
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace tessera::comm
