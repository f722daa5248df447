// Names of free dimensions in the rank graphs.
#pragma once

#include "tessera/shard/rank_model.h"

namespace tessera::shard {

// A rank's part of a free dimension gets a name of its own ("sequence.part"): in ONNX equal names are equal
// sizes, and TensorRT holds a model to that.
void NameLocalSizes(RankModel& model);

}  // namespace tessera::shard
