#include "tessera/exec/rank_outputs.h"

namespace tessera::exec {

Result<Region> RankOutputs::Place(Rank rank, int index, DType type, const Shape& shape) {
  const uint64_t bytes = BytesOf(type, shape).value();
  if (bytes > most_bytes_) return Region{};
  Output& output = outputs_.at(static_cast<size_t>(rank.value())).at(static_cast<size_t>(index));
  output = {true, type, shape, std::vector<std::byte>(bytes)};
  return HostRegion(MutableBytes(output.bytes));
}

}  // namespace tessera::exec
