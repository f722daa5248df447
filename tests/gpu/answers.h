// Answers of a model, and how far they are from the wanted ones.
#pragma once

#include <vector>

#include "tessera/exec/executor.h"
#include "tests/gpu/cases.h"

namespace tessera::gputest {

// Takes every output to host memory.
class Answers final : public exec::OutputTarget {
 public:
  Result<Region> Place(int index, DType type, const Shape& shape) override;
  const CaseTensor& at(size_t index) const { return taken_.at(index); }

 private:
  std::vector<CaseTensor> taken_;
};

// The largest difference over the largest value; infinity where sizes differ, or only one is not a number.
// fp32, fp16 and bf16 values, each in its own type; integers must be equal, or it is infinity, too.
double WorstError(const CaseTensor& got, const CaseTensor& wanted);

}  // namespace tessera::gputest
