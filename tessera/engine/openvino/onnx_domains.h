// The operator domains that an ONNX file imports. Private to the adapter: OpenVINO matches custom operators
// by domain, DistCollective is matched by its type in any.
#pragma once

#include <set>
#include <string>

#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera::engine::openvino {

// "" is ONNX's own. Errors: kInvalidArgument (`model` is not a serialized ModelProto).
// Source: onnx.proto (ModelProto.opset_import = 8, OperatorSetIdProto.domain = 1); protobuf.dev, "Encoding".
Result<std::set<std::string>> OnnxDomains(Bytes model);

}  // namespace tessera::engine::openvino
