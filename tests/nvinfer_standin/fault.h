// Faults for tests, from the environment:
//   TESSERA_STANDIN_FAULT = KIND:rank=R[:call=K]      K counts from 0, per process and rank
// KIND: fail          enqueueV3 number K returns false and issues nothing
//       skip          enqueueV3 number K returns true and issues nothing: the peers wait for its collectives
//       hang          enqueueV3 number K never returns
//       stall         the K-th run on the GPU (graph launches count) stands still for 3 s
//       communicator  setCommunicator returns false, as for an engine that is not multi-device
#pragma once

#include <atomic>
#include <optional>
#include <string>

namespace tessera::standin {

struct Fault {
  enum class Kind { kFail, kSkip, kHang, kStall, kCommunicator };
  Kind kind = Kind::kFail;
  int rank = 0;
  int call = 0;
};

// What the environment asks for; read anew by each call, so a test can change it between models.
std::optional<Fault> AskedFault();

// The fault for `rank`'s `call`, if that is the one.
std::optional<Fault> FaultAt(Fault::Kind kind, int rank, int call);

}  // namespace tessera::standin
