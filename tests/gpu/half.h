// Values in IEEE half precision, as their bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tessera::gputest {

uint16_t ToHalf(float value);
float FromHalf(uint16_t bits);

// Of -scale to scale, the same ones for a seed on every machine with the same C++ library.
std::vector<uint16_t> RandomHalves(size_t count, unsigned seed, float scale);

}  // namespace tessera::gputest
