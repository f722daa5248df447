// Memory that somebody else owns, described well enough that whoever runs next to it can copy it.
#pragma once

#include <cstddef>
#include <type_traits>

#include "tessera/base/types.h"

namespace tessera {

enum class MemoryKind { kHost, kPinned, kDevice };

// `rows` runs of `row_bytes` each, the starts `pitch` bytes apart: a dense tensor (rows = 1), or one rank's
// slice of it along any axis. Not owned. As cudaMemcpy2D takes it.
template <class Byte>
struct BasicRegion {
  Byte* data = nullptr;
  size_t rows = 1;
  size_t row_bytes = 0;
  size_t pitch = 0;  // >= row_bytes; ignored when rows == 1
  MemoryKind kind = MemoryKind::kHost;
  DeviceId device{0};  // of kDevice only

  bool contiguous() const { return rows <= 1 || pitch == row_bytes; }
  size_t bytes() const { return rows * row_bytes; }
  // What may be written may be read.
  operator BasicRegion<const std::byte>() const requires(!std::is_const_v<Byte>) {
    return {data, rows, row_bytes, pitch, kind, device};
  }
};
using Region = BasicRegion<std::byte>;
using ConstRegion = BasicRegion<const std::byte>;

// The dense regions of these bytes.
inline ConstRegion HostRegion(Bytes bytes) {
  return {bytes.data(), 1, bytes.size(), bytes.size()};
}
inline Region HostRegion(MutableBytes bytes) {
  return {bytes.data(), 1, bytes.size(), bytes.size()};
}
inline ConstRegion PinnedRegion(Bytes bytes) {
  return {bytes.data(), 1, bytes.size(), bytes.size(), MemoryKind::kPinned};
}
inline Region PinnedRegion(MutableBytes bytes) {
  return {bytes.data(), 1, bytes.size(), bytes.size(), MemoryKind::kPinned};
}
inline ConstRegion DeviceRegion(Bytes bytes, DeviceId device) {
  return {bytes.data(), 1, bytes.size(), bytes.size(), MemoryKind::kDevice, device};
}
inline Region DeviceRegion(MutableBytes bytes, DeviceId device) {
  return {bytes.data(), 1, bytes.size(), bytes.size(), MemoryKind::kDevice, device};
}

// Copies between host regions (kHost or kPinned) of the same bytes(); rows may be cut differently only when
// one side is contiguous.
void CopyHost(const ConstRegion& from, const Region& to);

}  // namespace tessera
