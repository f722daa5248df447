// The generated classes of the ONNX schema; private to this module.
#pragma once

#include "tessera_onnx.pb.h"

namespace tessera::graph {

namespace pb = ::tessera_onnx;

// The operators of ONNX itself. A Graph names their domain "".
inline bool IsStandardDomain(const std::string& domain) {
  return domain.empty() || domain == "ai.onnx";
}

}  // namespace tessera::graph
