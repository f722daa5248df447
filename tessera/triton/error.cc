#include "tessera/triton/error.h"

namespace tessera::triton {

TRITONSERVER_Error_Code ToTritonCode(Code code) {
  switch (code) {
    case Code::kUnknown:
      return TRITONSERVER_ERROR_UNKNOWN;
    case Code::kInternal:
      return TRITONSERVER_ERROR_INTERNAL;
    case Code::kNotFound:
      return TRITONSERVER_ERROR_NOT_FOUND;
    case Code::kInvalidArgument:
      return TRITONSERVER_ERROR_INVALID_ARG;
    case Code::kUnavailable:
    case Code::kDeadline:
    case Code::kPeerLost:
      return TRITONSERVER_ERROR_UNAVAILABLE;
    case Code::kUnsupported:
      return TRITONSERVER_ERROR_UNSUPPORTED;
    case Code::kAlreadyExists:
      return TRITONSERVER_ERROR_ALREADY_EXISTS;
    case Code::kCancelled:
      return TRITONSERVER_ERROR_CANCELLED;
  }
  return TRITONSERVER_ERROR_UNKNOWN;
}

Code FromTritonCode(TRITONSERVER_Error_Code code) {
  switch (code) {
    case TRITONSERVER_ERROR_UNKNOWN:
      return Code::kUnknown;
    case TRITONSERVER_ERROR_INTERNAL:
      return Code::kInternal;
    case TRITONSERVER_ERROR_NOT_FOUND:
      return Code::kNotFound;
    case TRITONSERVER_ERROR_INVALID_ARG:
      return Code::kInvalidArgument;
    case TRITONSERVER_ERROR_UNAVAILABLE:
      return Code::kUnavailable;
    case TRITONSERVER_ERROR_UNSUPPORTED:
      return Code::kUnsupported;
    case TRITONSERVER_ERROR_ALREADY_EXISTS:
      return Code::kAlreadyExists;
    case TRITONSERVER_ERROR_CANCELLED:
      return Code::kCancelled;
  }
  return Code::kUnknown;
}

TRITONSERVER_Error* ToTriton(const Error& error) noexcept {
  try {
    return TRITONSERVER_ErrorNew(ToTritonCode(error.code), error.ToString().c_str());
  } catch (...) {  // no memory for the text: the code still says what it was
    return TRITONSERVER_ErrorNew(ToTritonCode(error.code), CodeName(error.code));
  }
}

Result<void> Check(TRITONSERVER_Error* error, const char* file, int line) {
  if (error == nullptr) return {};
  Error ours{FromTritonCode(TRITONSERVER_ErrorCode(error)), TRITONSERVER_ErrorMessage(error), -1, file, line};
  TRITONSERVER_ErrorDelete(error);
  return tl::unexpected<Error>(std::move(ours));
}

}  // namespace tessera::triton
