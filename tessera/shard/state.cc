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

bool ExchangesDirectly(const State& from, const State& to) {
  return from.split() && to.split() && from.axis != to.axis && from.cut.plain() && to.cut.plain();
}

int Pieces(const State& state, int parts) {
  return state.split() ? state.cut.Pieces(parts) : 1;
}

bool Refines(const State& held, const State& wanted) {
  return held.split() && wanted.split() && held.axis == wanted.axis && held.cut.copies() > 1 &&
         wanted.cut == held.cut.WithCopies(1);
}

Shape LocalShape(const Shape& shape, const State& state, int parts) {
  Shape local = shape;
  if (state.split()) {
    int64_t& size = local.at(static_cast<size_t>(state.axis));
    if (size != kDynamic) size /= state.cut.Pieces(parts);
  }
  return local;
}

}  // namespace tessera::shard
