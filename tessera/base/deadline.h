// A point in time by which something must be done.
#pragma once

#include <chrono>

namespace tessera {

class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  static Deadline At(Clock::time_point at) { return Deadline(at); }
  static Deadline Never() { return Deadline(Clock::time_point::max()); }
  // A span too long for the clock means never.
  static Deadline In(Clock::duration span) {
    const Clock::time_point now = Clock::now();
    return span > Clock::time_point::max() - now ? Never() : Deadline(now + span);
  }

  // The same, `span` later; never stays.
  Deadline Later(Clock::duration span) const {
    return never() || span > Clock::time_point::max() - at_ ? Never() : Deadline(at_ + span);
  }

  bool never() const { return at_ == Clock::time_point::max(); }
  bool passed() const { return !never() && Clock::now() >= at_; }
  Clock::time_point at() const { return at_; }
  // Less than none once it has passed; the longest span for never.
  Clock::duration left() const { return never() ? Clock::duration::max() : at_ - Clock::now(); }

 private:
  explicit Deadline(Clock::time_point at) : at_(at) {}
  Clock::time_point at_;
};

inline Deadline Sooner(Deadline a, Deadline b) {
  return a.at() < b.at() ? a : b;
}

}  // namespace tessera
