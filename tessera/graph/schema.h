// The generated classes of the ONNX schema; private to this module.
#pragma once

#include "tessera_onnx.pb.h"

namespace tessera::graph {

namespace pb = ::tessera_onnx;

}  // namespace tessera::graph
