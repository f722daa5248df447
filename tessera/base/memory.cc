#include "tessera/base/memory.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace tessera {

void CopyHost(const ConstRegion& from, const Region& to) {
  assert(from.bytes() == to.bytes());
  if (from.bytes() == 0) return;
  if (from.contiguous() && to.contiguous()) {
    std::memcpy(to.data, from.data, from.bytes());
    return;
  }
  // The finer cut decides: a contiguous side follows the rows of the other one.
  const size_t rows = std::max(from.contiguous() ? 1 : from.rows, to.contiguous() ? 1 : to.rows);
  const size_t row = from.bytes() / rows;
  const size_t from_pitch = from.contiguous() ? row : from.pitch;
  const size_t to_pitch = to.contiguous() ? row : to.pitch;
  for (size_t i = 0; i < rows; ++i) std::memcpy(to.data + i * to_pitch, from.data + i * from_pitch, row);
}

}  // namespace tessera
