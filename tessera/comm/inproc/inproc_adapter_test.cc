// The in-process group under the conformance suite. It supports every case.
#include "tessera/comm/conformance/conformance.h"
#include "tessera/comm/conformance/host_group.h"
#include "tessera/comm/inproc/inproc_group.h"

namespace tessera::comm::conformance {
namespace {

class InprocAdapter final : public Adapter {
 public:
  Result<std::unique_ptr<Group>> Create(int world_size) override {
    TRY_ASSIGN(auto ends, CreateInprocGroup(world_size));
    return std::make_unique<HostGroup>(std::move(ends));
  }
};

Adapter& Inproc() {
  static InprocAdapter adapter;
  return adapter;
}

INSTANTIATE_TEST_SUITE_P(Inproc, EveryCollective, EveryCase(&Inproc), CaseName);
INSTANTIATE_TEST_SUITE_P(Inproc, EveryWorld, Worlds(&Inproc), WorldName);
INSTANTIATE_TEST_SUITE_P(Inproc, Faults, Worlds(&Inproc), WorldName);

}  // namespace
}  // namespace tessera::comm::conformance
