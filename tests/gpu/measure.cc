#include <algorithm>

#include "tests/gpu/bench.h"

namespace tessera::gputest {

Spread SpreadOf(std::vector<double> samples) {
  if (samples.empty()) return {};
  std::sort(samples.begin(), samples.end());
  return {samples[samples.size() / 2], samples[std::min(samples.size() - 1, samples.size() * 99 / 100)]};
}

Result<std::vector<Spread>> Measure(int warm, int count,
                                    const std::function<Result<std::vector<double>>()>& once) {
  std::vector<std::vector<double>> samples;
  for (int i = 0; i < warm + count; ++i) {
    TRY_ASSIGN(const std::vector<double> figures, once());
    if (i < warm) continue;
    samples.resize(figures.size());
    for (size_t f = 0; f < figures.size(); ++f) samples[f].push_back(figures[f]);
  }
  std::vector<Spread> spreads;
  for (const std::vector<double>& figure : samples) spreads.push_back(SpreadOf(figure));
  return spreads;
}

Result<Spread> MeasureFor(double seconds, const std::function<Result<double>()>& once) {
  constexpr int kWarm = 4;  // memory is used in place from the third request on
  constexpr size_t kLeast = 10;
  for (int i = 0; i < kWarm; ++i) TRY(once());
  std::vector<double> samples;
  const auto start = std::chrono::steady_clock::now();
  while (samples.size() < kLeast || MicrosSince(start) < seconds * 1e6) {
    TRY_ASSIGN(const double figure, once());
    samples.push_back(figure);
  }
  return SpreadOf(std::move(samples));
}

double Micros(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

double MicrosSince(std::chrono::steady_clock::time_point start) {
  return Micros(std::chrono::steady_clock::now() - start);
}

}  // namespace tessera::gputest
