// What OpenVINO's symbolic inference leaves open, though exporters write it into every transformer.
#pragma once

#include <openvino/core/node.hpp>

namespace tessera::graph {

// Completes the symbols of one operation whose shapes were just inferred:
// - Slice of a static dimension up to a length that is known by a symbol (a table of positions cut to the
// sequence's
//   length): the result has that length. Taken for granted: the table is long enough, as the model needs.
// - Select between shapes whose condition is known (what `expand` becomes): the symbols of what is selected.
void ImproveSymbols(ov::Node& op);

}  // namespace tessera::graph
