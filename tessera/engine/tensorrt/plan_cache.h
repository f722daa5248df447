// The step plans at hand.
#pragma once

#include <list>
#include <memory>

#include "tessera/engine/tensorrt/step_plan.h"

namespace tessera::engine {

// The least recently used plan goes first. Not thread-safe.
class PlanCache {
 public:
  explicit PlanCache(size_t capacity) : capacity_(capacity) {}
  // The plan of a step that passed CheckStep, found without making a StepShape; null: none.
  std::shared_ptr<StepPlan> Find(const Step& step, const InputRules& rules);
  void Keep(std::shared_ptr<StepPlan> plan);
  void Clear() { plans_.clear(); }

 private:
  size_t capacity_;
  std::list<std::shared_ptr<StepPlan>> plans_;  // most recently used first
};

}  // namespace tessera::engine
