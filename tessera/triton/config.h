// A model's configuration (config.pbtxt) against what the model itself says: completed where it says nothing,
// refused where it says otherwise.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "tessera/base/result.h"
#include "tessera/plan/plan.h"

namespace tessera::triton {

// Why requests for this model are not batched unasked; "" if they are. They are, as Triton's users expect,
// when the first dimension of every input and output is dynamic - but not when two of them have different
// names: those may be the same size all the same (exporters name each input's batch anew), and only somebody
// who knows the model can say so, with max_batch_size in config.pbtxt. A model whose first dimension is no
// batch although it looks like one says so by its dims there. What is batched wrongly does not go unnoticed:
// outputs must have as many rows as the inputs.
std::string WhyNotBatched(const plan::Plan& plan);

// Fills in what `config` leaves open: inputs, outputs, their types and dimensions, max_batch_size
// (`default_batch`, or `max_rows` if that is less, if it can be batched and no dimensions are given) and the
// dynamic batcher of a batched model. What is given stays.
nlohmann::json CompleteConfig(nlohmann::json config, const plan::Plan& plan, int64_t default_batch,
                              std::optional<int64_t> max_rows = std::nullopt);

// Compares the configuration with the model. A fixed size is accepted where the model is free, not the other
// way; a max_batch_size up to `max_rows`, the engines' own limit where they have one. Errors:
// kInvalidArgument with a line that names the tensor, the got and the wanted; kUnsupported (strings, ragged
// batches, sequences, ..).
Result<void> ValidateConfig(const nlohmann::json& config, const plan::Plan& plan,
                            std::optional<int64_t> max_rows = std::nullopt);

}  // namespace tessera::triton
