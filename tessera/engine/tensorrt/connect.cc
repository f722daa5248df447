#include "tessera/engine/tensorrt/connect.h"

#include <algorithm>

#include "tessera/engine/tensorrt/device_order.h"
#include "tessera/engine/tensorrt/peers.h"

namespace tessera::engine {
namespace {

// Of nobody's connections; no engine is loaded meanwhile.
constexpr std::chrono::seconds kSpareTurnLimit{20};

std::shared_mutex& Loading() {
  static std::shared_mutex* const mutex = new std::shared_mutex;  // threads may outlive static destructors
  return *mutex;
}

struct Alone {
  std::unique_lock<std::shared_mutex> no_loading;
  DeviceOrder::Turn turn;
};

}  // namespace

bool SendsBetweenPairs(const plan::Plan& plan) {
  return plan.collectives.empty() ||
         std::any_of(plan.collectives.begin(), plan.collectives.end(), [](const plan::CollectivePlan& one) {
           return one.op == CollectiveOp::kAllToAll || one.op == CollectiveOp::kGather ||
                  one.op == CollectiveOp::kScatter;
         });
}

std::shared_lock<std::shared_mutex> LoadingEngines() {
  return std::shared_lock(Loading());
}

void ConnectInAdvance(const std::vector<DeviceId>& devices) {
  Peers::Prepare(devices, [devices]() -> Result<std::shared_ptr<void>> {
    std::unique_lock no_loading(Loading());
    TRY_ASSIGN(DeviceOrder::Turn turn, DeviceOrder::OfProcess().Hold(devices, Deadline::In(kSpareTurnLimit)));
    return std::shared_ptr<void>(std::make_shared<Alone>(Alone{std::move(no_loading), std::move(turn)}));
  });
}

}  // namespace tessera::engine
