// How OpenVINO's frontend learns what a DistCollective node does to a shape.
#pragma once

#include <memory>
#include <string>

#include <openvino/core/extension.hpp>

namespace tessera::graph {

// all_gather and gather multiply axis 0 by nb_rank, reduce_scatter and scatter divide it, the others keep the
// shape. For shapes only: the values that the operation computes are not a collective's.
std::shared_ptr<ov::Extension> DistCollectiveShape(const std::string& domain);

}  // namespace tessera::graph
