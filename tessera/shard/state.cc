#include "tessera/shard/state.h"

#include <fmt/format.h>

namespace tessera::shard {

std::string State::ToString() const {
  switch (kind) {
    case Kind::kReplicated:
      return "R";
    case Kind::kSplit:
      return cut.plain() ? fmt::format("S({})", axis) : fmt::format("S({},{})", axis, cut.ToString());
    case Kind::kPartial:
      return fmt::format("P({})", Name(reduce));
  }
  return "?";
}

Shape LocalShape(const Shape& shape, const State& state, int parts) {
  Shape local = shape;
  if (state.split()) {
    int64_t& size = local.at(static_cast<size_t>(state.axis));
    if (size != kDynamic) size /= parts;
  }
  return local;
}

}  // namespace tessera::shard
