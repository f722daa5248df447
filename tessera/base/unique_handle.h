// One owner for a C handle: a file descriptor, a stream, a library.
#pragma once

#include <utility>

namespace tessera {

// Owns a handle that `Traits` describes:
//
//     struct FdTraits {
//       using Handle = int;
//       static constexpr Handle kNone = -1;              // the value that owns nothing
//       static void Close(Handle handle) noexcept;       // called once for every other value
//     };
//     using UniqueFd = UniqueHandle<FdTraits>;
//
// Making the handle can fail, so it stands in a Create of the caller; letting go of it cannot. Source: C++
// Core Guidelines R.1, and rmm's cuda_stream for the shape.
template <class Traits>
class UniqueHandle {
 public:
  using Handle = typename Traits::Handle;

  UniqueHandle() = default;
  explicit UniqueHandle(Handle handle) noexcept : handle_(handle) {}
  UniqueHandle(UniqueHandle&& other) noexcept : handle_(other.Release()) {}
  UniqueHandle& operator=(UniqueHandle&& other) noexcept {
    if (this != &other) Reset(other.Release());
    return *this;
  }
  ~UniqueHandle() { Reset(); }

  Handle get() const noexcept { return handle_; }
  explicit operator bool() const noexcept { return handle_ != Traits::kNone; }

  // Gives the handle away; this then owns nothing.
  [[nodiscard]] Handle Release() noexcept { return std::exchange(handle_, Traits::kNone); }

  // Closes what is owned and owns `handle` from now on.
  void Reset(Handle handle = Traits::kNone) noexcept {
    Handle old = std::exchange(handle_, handle);
    if (old != Traits::kNone) Traits::Close(old);
  }

 private:
  Handle handle_ = Traits::kNone;
};

}  // namespace tessera
