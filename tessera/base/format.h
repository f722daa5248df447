// Sizes, times and shares as text for people.
#pragma once

#include <string>

#include "tessera/base/types.h"

namespace tessera {

std::string FormatBytes(ByteCount bytes);    // "66.3 MiB"
std::string FormatMicroseconds(double us);   // "812 us", "3.41 ms", "2.05 s"
std::string FormatPercent(double fraction);  // "25.1 %"

}  // namespace tessera
