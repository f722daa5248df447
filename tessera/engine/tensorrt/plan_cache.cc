#include "tessera/engine/tensorrt/plan_cache.h"

#include <algorithm>

namespace tessera::engine {

std::shared_ptr<StepPlan> PlanCache::Find(const Step& step, const InputRules& rules) {
  auto found = std::find_if(plans_.begin(), plans_.end(),
                            [&](const auto& plan) { return HasShape(step, rules, plan->shape); });
  if (found == plans_.end()) return nullptr;
  plans_.splice(plans_.begin(), plans_, found);
  return plans_.front();
}

void PlanCache::Keep(std::shared_ptr<StepPlan> plan) {
  plans_.push_front(std::move(plan));
  if (plans_.size() > capacity_) plans_.pop_back();
}

}  // namespace tessera::engine
