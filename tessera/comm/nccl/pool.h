// NCCL communicators that outlive the models that used them, and some made before a model wants them.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <vector>

#include "tessera/base/mutex.h"
#include "tessera/comm/nccl/group.h"

namespace tessera::comm {

// Connecting GPUs takes longer than loading an engine. A group that a model lets go in good health is kept,
// and the next model on the same GPUs takes it: as idle memory of the GPUs, at most kMostIdle groups a list
// of GPUs. Models that are there at the same time never share one: aborting one model's collectives must not
// end another's.
class NcclPool {
 public:
  static constexpr size_t kMostIdle = 2;  // a model's that was unloaded, and the one made beside it

  static constexpr std::chrono::seconds kPrepareLimit{60};

  static NcclPool& OfProcess();

  // An idle group, the one that Prepare is making, or a new one: NcclGroup::Create with Calls::kBlocking. The
  // last owner's release brings it back, or ends it when it was aborted or these GPUs have enough idle ones.
  // Everything that uses its communicators is gone by then, as for ~NcclGroup.
  Result<std::shared_ptr<NcclGroup>> Take(const std::vector<DeviceId>& devices, Deadline deadline,
                                          const NcclGroup::BeforeWork& before_work = {},
                                          NcclGroup::Use use = NcclGroup::Use::kAll);
  // Has a thread make a group for Use::kCollectives unless an idle one is there or on its way. A failure -
  // GPUs that do not answer within seconds, too - is logged; Take then makes its own. `before_work` runs on
  // that thread.
  void Prepare(const std::vector<DeviceId>& devices, NcclGroup::BeforeWork before_work = {});
  // Waits for the groups on their way, kPrepareLimit at most.
  void AwaitSpares();
  // Ends the idle groups; waits for those on their way.
  void Clear();

 private:
  // For its first collectives: nobody waits for this group, and other models are kept off the GPUs.
  static constexpr std::chrono::seconds kSpareWorkLimit{5};
  using Groups = std::vector<std::shared_ptr<NcclGroup>>;
  struct Shelf {
    Groups idle;
    bool being_made = false;
    Deadline made_by = Deadline::Never();  // past this it hangs, and nobody waits for it
  };

  NcclPool() = default;
  // One that still works, if any. Errors: kDeadline (one is on its way and does not come).
  Result<std::shared_ptr<NcclGroup>> TakeIdle(const std::vector<DeviceId>& devices, Deadline deadline);
  std::shared_ptr<NcclGroup> Lend(const std::vector<DeviceId>& devices, std::shared_ptr<NcclGroup> group);
  void GiveBack(const std::vector<DeviceId>& devices, std::shared_ptr<NcclGroup> group);
  void MakeSpare(const std::vector<DeviceId>& devices, const NcclGroup::BeforeWork& before_work);

  Mutex mutex_;
  std::condition_variable made_;
  std::map<std::vector<DeviceId>, Shelf> shelves_ GUARDED_BY(mutex_);  // none is ever erased
};

}  // namespace tessera::comm
