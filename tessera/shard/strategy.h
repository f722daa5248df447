// The strategies a user may ask for, each a space of plans and what makes one good.
#pragma once

#include <string_view>
#include <vector>

#include "tessera/shard/candidates.h"
#include "tessera/shard/cost.h"

namespace tessera::shard {

struct Strategy {
  std::string_view name;
  std::string_view axis;  // of the mesh
  Space space;            // parts left open
  Objective objective;
};

// All but "auto", which prices these and one device.
const std::vector<Strategy>& AllStrategies();

// The model whole, on one device.
const Strategy& OneRank();

}  // namespace tessera::shard
