// Latency and throughput of two models, measured side by side in one run.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "tessera/base/result.h"

namespace tessera::cli {

struct Latency {
  double p25_us = 0;
  double p50_us = 0;
  double p90_us = 0;
  double p99_us = 0;
  double mean_us = 0;
  size_t steps = 0;
};

// Of `times`, which must not be empty. The p-th percentile is the smallest time that p percent do not exceed.
Latency Summarize(std::vector<std::chrono::nanoseconds> times);

// Rows a second.
double Throughput(const Latency& latency, int64_t rows);

// One step of a model; an error ends the measurement.
using TimedStep = std::function<Result<void>()>;

// Runs the steps in turns of about `turn` each until `span` is over, so that what disturbs the machine
// disturbs them alike; every step runs at least 5 times. Returns the times of each, in the order of `steps`.
// Each step runs 3 times before anything is measured.
Result<std::vector<std::vector<std::chrono::nanoseconds>>> MeasureInTurns(const std::vector<TimedStep>& steps,
                                                                          std::chrono::nanoseconds span,
                                                                          std::chrono::nanoseconds turn);

}  // namespace tessera::cli
