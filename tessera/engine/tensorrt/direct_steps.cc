#include "tessera/engine/tensorrt/direct_steps.h"

#include <algorithm>

namespace tessera::engine {
namespace {

template <class Entry>
bool ToFront(std::list<Entry>& entries, const StepAddresses& at) {
  auto found =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.at == at; });
  if (found == entries.end()) return false;
  entries.splice(entries.begin(), entries, found);
  return true;
}

}  // namespace

bool StepAddresses::any() const {
  return std::any_of(used_.begin(), used_.end(), [](const UsedMemory& used) { return used.at != nullptr; });
}

const CapturedStep* DirectSteps::Find(const StepAddresses& at) {
  return ToFront(steps_, at) ? &steps_.front() : nullptr;
}

bool DirectSteps::Seen(const StepAddresses& at) {
  if (!ToFront(seen_, at)) {
    seen_.push_front(Count{at, 0});
    if (seen_.size() > kMostSeen) seen_.pop_back();
  }
  if (++seen_.front().times < kCaptureAt) return false;
  seen_.pop_front();
  return true;
}

const CapturedStep* DirectSteps::Keep(CapturedStep step) {
  steps_.push_front(std::move(step));
  if (steps_.size() > kMostSteps) steps_.pop_back();
  return &steps_.front();
}

}  // namespace tessera::engine
