// Triton's model configuration of a sharded model, as text.
#pragma once

#include <string>

#include "tessera/base/result.h"
#include "tessera/plan/plan.h"

namespace tessera::cli {

// True when the first dimension of every input and output can be a batch: it is free, stands before another
// one, is cut by no rank, and is not named like a sequence. What the shapes cannot tell - whether the rows of
// a batch leave each other alone - is checked by `tessera verify`.
bool CanBatch(const plan::Plan& plan);

// The content of config.pbtxt for a model named `name`. Requests are batched up to `max_batch` rows if
// CanBatch; 0 = never. Errors: kUnsupported (an element type that Triton does not have). Source: Triton
// Inference Server documentation, "Model Configuration".
Result<std::string> ModelConfig(const plan::Plan& plan, const std::string& name, int max_batch);

}  // namespace tessera::cli
