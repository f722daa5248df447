#include "tessera/comm/nccl/pool.h"

#include <utility>

namespace tessera::comm {

NcclPool& NcclPool::OfProcess() {
  static NcclPool* const pool = new NcclPool;  // never destroyed: models may outlive static destructors
  return *pool;
}

Result<std::shared_ptr<NcclGroup>> NcclPool::Take(const std::vector<DeviceId>& devices, Deadline deadline,
                                                  const NcclGroup::BeforeWork& before_work) {
  std::shared_ptr<NcclGroup> idle;
  {
    MutexLock lock(mutex_);
    if (auto found = idle_.find(devices); found != idle_.end()) {
      idle = std::move(found->second);
      idle_.erase(found);
    }
  }
  if (idle && idle->Poll()) return Lend(devices, std::move(idle));  // an error may have come meanwhile
  TRY_ASSIGN(std::shared_ptr<NcclGroup> made,
             NcclGroup::Create(devices, NcclGroup::Calls::kBlocking, deadline, before_work));
  return Lend(devices, std::move(made));
}

std::shared_ptr<NcclGroup> NcclPool::Lend(const std::vector<DeviceId>& devices,
                                          std::shared_ptr<NcclGroup> group) {
  NcclGroup* const lent = group.get();
  return {lent, [this, devices, owner = std::move(group)](NcclGroup*) mutable {
            GiveBack(devices, std::move(owner));
          }};
}

void NcclPool::GiveBack(const std::vector<DeviceId>& devices, std::shared_ptr<NcclGroup> group) {
  if (group->aborted() || !group->Poll()) return;
  MutexLock lock(mutex_);
  idle_.try_emplace(devices, std::move(group));  // a second one ends when `group` does, behind the lock
}

void NcclPool::Clear() {
  std::map<std::vector<DeviceId>, std::shared_ptr<NcclGroup>> ended;
  MutexLock lock(mutex_);
  ended.swap(idle_);
}

}  // namespace tessera::comm
