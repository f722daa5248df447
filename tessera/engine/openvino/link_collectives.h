// Gets a rank's collectives ready to run. Private to the adapter.
#pragma once

#include <memory>
#include <openvino/core/extension.hpp>
#include <openvino/core/model.hpp>
#include <string>

#include "tessera/base/result.h"
#include "tessera/engine/openvino/collective_node.h"
#include "tessera/plan/plan.h"

namespace tessera::engine::openvino {

// What makes OpenVINO's ONNX reader understand DistCollective of `domain`.
std::shared_ptr<ov::Extension> CollectiveExtension(const std::string& domain);

// The name of the run-time parameter that LinkCollectives adds as the model's last input: the first token.
inline constexpr const char* kTokenInput = "tessera.token";

// Checks the collectives of `model` against the plan (the same nodes, each doing the same), chains them in
// the plan's order and binds them to `site`. True when there are any, and so a token input. Errors:
// kInvalidArgument (another operation, root, rank count than planned; a node too many, missing or out of
// order), kUnsupported (groups, a collective inside a loop or branch, a type that no collective takes).
Result<bool> LinkCollectives(ov::Model& model, const std::vector<plan::CollectivePlan>& wanted,
                             const std::shared_ptr<CollectiveSite>& site);

}  // namespace tessera::engine::openvino
