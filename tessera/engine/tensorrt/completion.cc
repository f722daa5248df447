#include "tessera/engine/tensorrt/completion.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>
#include <vector>

#include "tessera/base/spin.h"
#include "tessera/base/types.h"

namespace tessera::engine {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kCheckEvery = std::chrono::microseconds(250);
constexpr auto kSpinFor = std::chrono::milliseconds(2);  // a wake-up costs more than a short step is long
constexpr auto kNapAfterwards = std::chrono::microseconds(20);
constexpr int kLoadsBetweenClocks = 64;

// An error of the work never sets the signal: the stream tells it.
Result<void> CheckStreams(const std::vector<const cuda::Stream*>& streams) {
  for (size_t r = 0; r < streams.size(); ++r) {
    Result<bool> idle = streams[r]->Idle();
    if (idle) continue;
    idle.error().rank = static_cast<int>(r);
    return Forward(std::move(idle));
  }
  return {};
}

}  // namespace

Result<StepCompletion> StepCompletion::Create(int world_size) {
  TRY_ASSIGN(cuda::Signals signals, cuda::Signals::Create(world_size));
  return StepCompletion(std::move(signals));
}

bool StepCompletion::Ended(size_t ranks) const {
  for (size_t r = 0; r < ranks; ++r) {
    if (signals_.Get(static_cast<int>(r)) != number_) return false;
  }
  return true;
}

tl::unexpected<Error> StepCompletion::Late(size_t ranks) const {
  std::vector<size_t> late;
  for (size_t r = 0; r < ranks; ++r) {
    if (signals_.Get(static_cast<int>(r)) != number_) late.push_back(r);
  }
  return Fail(Code::kDeadline, "the step did not end in its time on rank {} of {}",
              fmt::format("{}", fmt::join(late, " and rank ")), ranks);
}

Result<void> StepCompletion::Wait(const std::vector<const cuda::Stream*>& streams, Deadline deadline,
                                  const std::function<Result<void>()>& check) const {
  const auto start = Clock::now();
  auto next_check = start + kCheckEvery;
  while (true) {
    for (int i = 0; i < kLoadsBetweenClocks; ++i) {
      if (Ended(streams.size())) return {};
      Pause();
    }
    const auto now = Clock::now();
    if (now - start > kSpinFor) std::this_thread::sleep_for(kNapAfterwards);
    if (now < next_check) continue;
    next_check = now + kCheckEvery;
    TRY(check());
    TRY(CheckStreams(streams));
    if (deadline.passed()) return Late(streams.size());
  }
}

}  // namespace tessera::engine
