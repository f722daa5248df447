#include "tessera/base/result.h"

namespace tessera {

const char* CodeName(Code code) {
  switch (code) {
    case Code::kUnknown: return "unknown";
    case Code::kInternal: return "internal";
    case Code::kNotFound: return "not found";
    case Code::kInvalidArgument: return "invalid argument";
    case Code::kUnavailable: return "unavailable";
    case Code::kUnsupported: return "unsupported";
    case Code::kAlreadyExists: return "already exists";
    case Code::kCancelled: return "cancelled";
    case Code::kDeadline: return "deadline exceeded";
    case Code::kPeerLost: return "peer lost";
  }
  return "unknown";
}

std::string Error::ToString() const {
  if (rank < 0) return message;
  std::string prefix = fmt::format("rank {}: ", rank);
  return message.rfind(prefix, 0) == 0 ? message : prefix + message;
}

}  // namespace tessera
