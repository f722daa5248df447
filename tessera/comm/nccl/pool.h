// NCCL communicators that outlive the models that used them.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "tessera/base/mutex.h"
#include "tessera/comm/nccl/group.h"

namespace tessera::comm {

// Connecting GPUs takes longer than loading an engine. A group that a model lets go in good health is kept,
// and the next model on the same GPUs takes it: as idle memory of the GPUs, one group a list of GPUs. Models
// that are there at the same time never share one: aborting one model's collectives must not end another's.
class NcclPool {
 public:
  static NcclPool& OfProcess();

  // An idle group, or a new one: NcclGroup::Create with Calls::kBlocking. The last owner's release brings it
  // back, or ends it when it was aborted or one of these GPUs has an idle one already. Everything that uses
  // its communicators is gone by then, as for ~NcclGroup.
  Result<std::shared_ptr<NcclGroup>> Take(const std::vector<DeviceId>& devices, Deadline deadline,
                                          const NcclGroup::BeforeWork& before_work = {});
  // Ends the idle groups.
  void Clear();

 private:
  NcclPool() = default;
  std::shared_ptr<NcclGroup> Lend(const std::vector<DeviceId>& devices, std::shared_ptr<NcclGroup> group);
  void GiveBack(const std::vector<DeviceId>& devices, std::shared_ptr<NcclGroup> group);

  Mutex mutex_;
  std::map<std::vector<DeviceId>, std::shared_ptr<NcclGroup>> idle_ GUARDED_BY(mutex_);
};

}  // namespace tessera::comm
