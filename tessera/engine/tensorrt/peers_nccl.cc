#include "tessera/comm/nccl/pool.h"
#include "tessera/comm/nccl/status.h"
#include "tessera/engine/tensorrt/peers.h"

namespace tessera::engine {
namespace {

class NcclPeers final : public Peers {
 public:
  explicit NcclPeers(std::shared_ptr<comm::NcclGroup> group) : group_(std::move(group)) {}

  int world_size() const override { return group_->world_size(); }
  void* communicator(Rank rank) const override { return group_->comm(rank); }
  Result<void> AllGather(Rank rank, const std::byte* mine, std::byte* all, size_t bytes,
                         cudaStream_t stream) override {
    NCCL_TRY(group_->comm(rank), ncclAllGather(mine, all, bytes, ncclInt8, group_->comm(rank), stream));
    return {};
  }
  Result<void> WhileUsable(const std::function<Result<void>()>& call) override {
    comm::NcclGroup::InFlight in_flight(*group_);
    if (!in_flight.usable()) return tl::unexpected<Error>(*group_->failure());
    return call();
  }
  Result<void> Poll() override { return group_->Poll(); }
  void Abort(const Error& reason) noexcept override { group_->Abort(reason); }

 private:
  const std::shared_ptr<comm::NcclGroup> group_;
};

}  // namespace

Result<void> Peers::Supported() {
  return {};
}

Result<std::shared_ptr<Peers>> Peers::Connect(const std::vector<DeviceId>& devices, bool pairs,
                                              Deadline deadline, const BeforeWork& before_work) {
  using Use = comm::NcclGroup::Use;
  TRY_ASSIGN(std::shared_ptr<comm::NcclGroup> group,
             comm::NcclPool::OfProcess().Take(devices, deadline, before_work,
                                              pairs ? Use::kAll : Use::kCollectives));
  return std::shared_ptr<Peers>(std::make_shared<NcclPeers>(std::move(group)));
}

void Peers::Prepare(const std::vector<DeviceId>& devices, BeforeWork before_work) {
  comm::NcclPool::OfProcess().Prepare(devices, std::move(before_work));
}

}  // namespace tessera::engine
