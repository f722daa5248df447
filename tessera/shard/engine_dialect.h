// What an engine wants of the rank graphs beyond ONNX.
#pragma once

#include <string_view>

#include "tessera/graph/graph.h"

namespace tessera::shard {

// Changes nodes of a rank graph to what `engine` ("openvino", "tensorrt") takes; none changes what is
// computed.
void SpeakDialect(std::string_view engine, graph::Graph& graph);

}  // namespace tessera::shard
