// What this machine has of all that Tessera can use.
#pragma once

#include <string>
#include <vector>

#include "tessera/base/types.h"
#include "tessera/cli/gpu_probe.h"

namespace tessera::cli {

// A part that is there, with its version or place, or is not, with the reason.
struct Part {
  std::string name;
  bool found = false;
  std::string detail;
};

struct Machine {
  std::string cpu;  // "AMD EPYC 9V33X 96-Core Processor"
  int cores = 0;    // that this process may use
  ByteCount memory{0};
  ByteCount available{0};
  Gpus gpus;                // empty without a driver
  std::vector<Part> parts;
};

// Its cores and memory alone, at once.
Machine ProbeHost();

// Looks at everything; starts Triton for a moment (on free loopback ports, without models) to see that it
// runs.
Machine ProbeMachine();

// What one can do on the machine, and what is missing for what one cannot.
struct Ability {
  std::string what;                  // "split and serve on CPU ranks"
  std::vector<std::string> missing;  // names of parts; empty: ready
};
std::vector<Ability> AbilitiesOf(const Machine& machine);

}  // namespace tessera::cli
