// Faults for tests, from the environment:
//   TESSERA_STANDIN_FAULT = KIND:rank=R[:call=K][:model=TEXT][:seconds=S]
//   TESSERA_STANDIN_FAULT = @FILE                     FILE holds such a line, or is not there: no fault
// K counts the calls of a context from 0; -1 is every call. TEXT is a part of the ONNX file's path.
// KIND: fail          enqueueV3 number K returns false and issues nothing
//       skip          enqueueV3 number K returns true and issues nothing: the peers wait for its collectives
//       hang          enqueueV3 number K never returns
//       shapes        inferShapes never returns; K is of no account
//       stall         the K-th run on the GPU (graph launches count) stands still for S seconds, or 3
//       communicator  setCommunicator returns false, as for an engine that is not multi-device
//
//   TESSERA_STANDIN_CHILD = 1   contexts make children of their communicator, as TensorRT does for some
//                               collectives, and use these
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "tests/nvinfer_standin/plan_file.h"

namespace tessera::standin {

struct Fault {
  enum class Kind { kFail, kSkip, kHang, kShapes, kStall, kCommunicator };
  Kind kind = Kind::kFail;
  int rank = 0;
  int call = 0;
  int seconds = 3;
  std::string model;
};

// What the environment asks for of `plan`'s model and rank; read anew by each call, so a test can change it.
std::optional<Fault> AskedFault(const PlanFile& plan);

// Whether `call` is to have such a fault.
bool FaultAt(Fault::Kind kind, const PlanFile& plan, int call);

// What TESSERA_STANDIN_CHILD says.
bool WantsChildCommunicator();

}  // namespace tessera::standin
