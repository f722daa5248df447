#include "tessera/cli/benchmark.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

namespace tessera::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr int kWarmUps = 3;
constexpr size_t kLeastSteps = 5;

double Percentile(const std::vector<nanoseconds>& sorted, double p) {
  const auto rank = static_cast<size_t>(std::ceil(p / 100 * static_cast<double>(sorted.size())));
  return static_cast<double>(sorted[std::max<size_t>(rank, 1) - 1].count()) / 1e3;
}

// Steps for about `turn`, at least one.
Result<void> OneTurn(const TimedStep& step, nanoseconds turn, std::vector<nanoseconds>& times) {
  const Clock::time_point end = Clock::now() + turn;
  do {
    const Clock::time_point start = Clock::now();
    TRY(step());
    times.push_back(Clock::now() - start);
  } while (Clock::now() < end);
  return {};
}

}  // namespace

Latency Summarize(std::vector<nanoseconds> times) {
  std::sort(times.begin(), times.end());
  const auto sum = std::accumulate(times.begin(), times.end(), nanoseconds(0));
  const double mean = static_cast<double>(sum.count()) / 1e3 / static_cast<double>(times.size());
  return {Percentile(times, 25), Percentile(times, 50), Percentile(times, 90), Percentile(times, 99), mean,
          times.size()};
}

double Throughput(const Latency& latency, int64_t rows) {
  return static_cast<double>(rows) * 1e6 / latency.mean_us;
}

Result<std::vector<std::vector<nanoseconds>>> MeasureInTurns(const std::vector<TimedStep>& steps,
                                                             nanoseconds span, nanoseconds turn) {
  for (const TimedStep& step : steps) {
    for (int i = 0; i < kWarmUps; ++i) TRY(step());
  }
  std::vector<std::vector<nanoseconds>> times(steps.size());
  const Clock::time_point end = Clock::now() + span;
  bool enough = false;
  while (!enough || Clock::now() < end) {
    for (size_t i = 0; i < steps.size(); ++i) TRY(OneTurn(steps[i], turn, times[i]));
    enough = std::all_of(times.begin(), times.end(), [](const auto& t) { return t.size() >= kLeastSteps; });
  }
  return times;
}

}  // namespace tessera::cli
