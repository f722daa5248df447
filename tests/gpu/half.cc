#include "tests/gpu/half.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <thread>

#include "tessera/base/cores.h"

namespace tessera::gputest {

uint16_t ToHalf(float value) {
  const _Float16 half = static_cast<_Float16>(value);
  uint16_t bits = 0;
  std::memcpy(&bits, &half, sizeof(bits));
  return bits;
}

float FromHalf(uint16_t bits) {
  _Float16 half = 0;
  std::memcpy(&half, &bits, sizeof(bits));
  return static_cast<float>(half);
}

std::vector<uint16_t> RandomHalves(size_t count, unsigned seed, float scale) {
  std::vector<uint16_t> halves(count);
  constexpr size_t kBlock = size_t{1} << 20;  // a block has its own seed, so that threads share the work
  const size_t blocks = (count + kBlock - 1) / kBlock;
  const size_t threads = std::min<size_t>(blocks, static_cast<size_t>(UsableCores()));
  std::vector<std::thread> workers;
  for (size_t t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      for (size_t b = t; b < blocks; b += threads) {
        std::minstd_rand random(seed * 7919U + static_cast<unsigned>(b) + 1);
        std::uniform_real_distribution<float> uniform(-scale, scale);
        for (size_t i = b * kBlock; i < std::min(count, (b + 1) * kBlock); ++i)
          halves[i] = ToHalf(uniform(random));
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  return halves;
}

}  // namespace tessera::gputest
