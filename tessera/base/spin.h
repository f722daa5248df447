// Waiting without sleep.
#pragma once

#include <chrono>

namespace tessera {

// Tells the core that this thread spins.
inline void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Whether `ready` came true within `limit`. It is called all the time: an atomic load or two.
template <class Ready>
bool SpinUntil(Ready ready, std::chrono::nanoseconds limit) {
  constexpr int kLooksBetweenClocks = 64;
  const auto until = std::chrono::steady_clock::now() + limit;
  while (true) {
    for (int i = 0; i < kLooksBetweenClocks; ++i) {
      if (ready()) return true;
      Pause();
    }
    if (std::chrono::steady_clock::now() >= until) return false;
  }
}

}  // namespace tessera
