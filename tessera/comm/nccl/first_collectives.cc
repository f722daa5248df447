#include "tessera/comm/nccl/first_collectives.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tessera/base/log.h"
#include "tessera/comm/nccl/content_check.h"

namespace tessera::comm {
namespace {

std::string Listed(const std::vector<DeviceId>& devices) {
  std::vector<int> numbers;
  for (const DeviceId device : devices) numbers.push_back(device.value());
  return fmt::format("{}", fmt::join(numbers, ","));
}

Result<void> ConnectAndCheck(const std::vector<DeviceId>& devices, const std::vector<ncclComm_t>& comms,
                             Deadline deadline, const AbortCollectives& abort) {
  TRY(ConnectCollectives(devices, comms, deadline, abort));
  const auto start = std::chrono::steady_clock::now();
  TRY(CheckGathers(devices, comms, deadline, abort));
  TESSERA_LOG(kDebug, "what GPUs {} send each other arrives: compared in {} us", Listed(devices),
              std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start)
                  .count());
  return {};
}

}  // namespace

Result<void> RunFirstCollectives(const std::vector<DeviceId>& devices, const std::vector<ncclComm_t>& comms,
                                 Deadline deadline, const AbortCollectives& abort) {
  TRY_ASSIGN(const bool sound, CheckPairs(devices, deadline));
  if (!sound) deadline = Sooner(deadline, Deadline::In(kUnsoundLimit));
  Result<void> done = ConnectAndCheck(devices, comms, deadline, abort);
  if (done || done.error().code != Code::kDeadline) return done;
  return Fail(Code::kDeadline, "the first collectives of GPUs {} did not end in their time ({}); {}",
              Listed(devices), done.error().message, kWithoutPeerAccess);
}

}  // namespace tessera::comm
