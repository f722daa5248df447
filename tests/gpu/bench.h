// What the GPU benchmarks share.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "tessera/base/result.h"

namespace tessera::gputest {

// Microseconds, from samples.
struct Spread {
  double median = 0;
  double p99 = 0;
};
Spread SpreadOf(std::vector<double> samples);

// Calls `once`, which gives one or more figures, `warm` times and then `count` times; spreads by figure.
Result<std::vector<Spread>> Measure(int warm, int count,
                                    const std::function<Result<std::vector<double>>()>& once);

// Calls `once`, which gives one figure, for about `seconds`, ten times at least; a few before to warm up.
Result<Spread> MeasureFor(double seconds, const std::function<Result<double>()>& once);

double Micros(std::chrono::nanoseconds time);
double MicrosSince(std::chrono::steady_clock::time_point start);

// The benchmarks, each printing a table.
Result<void> BenchMlp(const std::vector<int>& worlds);
Result<void> BenchLaunch(const std::vector<int>& worlds);
Result<void> BenchOverhead(const std::vector<int>& worlds);
// How often the GPUs interrupt the host in a step, and what that costs on the cores that get it.
Result<void> BenchInterrupts(const std::vector<int>& worlds);
Result<void> BenchInFlight(const std::vector<int>& worlds);
Result<void> BenchAttention(const std::vector<int>& worlds);
Result<void> BenchReplicate(const std::vector<int>& worlds);
Result<void> BenchLoad(const std::vector<int>& worlds);
// How fast a file gets to each GPU, all at the same time, in the ways that a plan can be read.
Result<void> BenchRead(const std::vector<int>& worlds);

// Part of BenchReplicate: what a probe at load finds and chooses, beside steps in both ways.
Result<void> BenchProbe(const std::vector<int>& worlds);

// What BenchLoad runs in processes of its own, so that each has a first load: gpu_bench load_once arguments.
// Returns the exit code.
int LoadOnce(int argc, char** argv);

}  // namespace tessera::gputest
