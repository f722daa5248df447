// How a tensor that all ranks on GPUs get whole reaches them.
#pragma once

namespace tessera::engine {

enum class ReplicationWay {
  // Where the tensor lies on a rank's own GPU, copies to as many others as its links carry, and else:
  kAuto,    // kGather where NVLink links all GPUs, else kProbe
  kProbe,   // what a probe at load finds right and fastest, and from which size on
  kCopies,  // a copy to each GPU
  kGather,  // slices, one over each GPU's link to the host, put together by an all-gather
};

}  // namespace tessera::engine
