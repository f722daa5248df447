// A compiled rank model with its one request. Private to the adapter.
#pragma once

#include <memory>

#include "tessera/engine/openvino/rank_model.h"
#include "tessera/engine/rank_session.h"

namespace tessera::engine::openvino {

Result<std::unique_ptr<RankSession>> MakeSession(RankModel model);

// Runs one step on small zero inputs, since the first step repacks weights and takes long. A free dimension
// gets as many elements as there are ranks, the least that every rank can have a part of.
Result<void> WarmUp(RankSession& session, const plan::Plan& plan, Rank rank, Deadline deadline);

}  // namespace tessera::engine::openvino
