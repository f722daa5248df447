// How far a model's answers may be off, by what it computes in: relative to the largest value of an output.
#pragma once

#include "tessera/base/types.h"

namespace tessera::plan {

// What a model's numbers are rounded to on their way, beside the types of its inputs and outputs.
struct Arithmetic {
  bool tf32 = false;       // FP32 products may be
  bool half = false;       // FP16 inside
  bool bfloat16 = false;   // BF16 inside
  bool quantized = false;  // 8 bits and less
};

// Of an output of `type`: FP32 1e-4; TF32 and FP16 5e-3; BF16, which has 3 bits less, 4e-2; quantised 5e-2: a
// value that falls on the other side of a rounding is a whole step off. The coarsest counts. Integers: 0, all
// must be equal, as nobody knows how near a choice was.
double Tolerance(DType type, const Arithmetic& arithmetic);

// Where nobody knows how an engine computes: as if products were TF32.
double UsualTolerance(DType type);

}  // namespace tessera::plan
