// Our counters on the server's /metrics.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/unique_handle.h"
#include "tessera/triton/api/triton.h"

namespace tessera::triton {

struct MetricTraits {
  using Handle = TRITONSERVER_Metric*;
  static constexpr Handle kNone = nullptr;
  static void Close(Handle metric) noexcept;
};

// One time series. Increment is cheap and thread-safe, and takes negative values for a gauge; a counter that
// owns nothing (the server was started without metrics) counts nowhere.
class Counter {
 public:
  Counter() = default;
  explicit Counter(TRITONSERVER_Metric* metric) : metric_(metric) {}
  void Increment(double value) noexcept;

 private:
  UniqueHandle<MetricTraits> metric_;
};

struct MetricFamilyTraits {
  using Handle = TRITONSERVER_MetricFamily*;
  static constexpr Handle kNone = nullptr;
  static void Close(Handle family) noexcept;
};

// A named family of counters; outlives its counters.
class CounterFamily {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  // A server without metrics, started or built so, gives a family that owns nothing.
  static Result<CounterFamily> Create(const char* name, const char* description,
                                      TRITONSERVER_MetricKind kind = TRITONSERVER_METRIC_KIND_COUNTER);
  Result<Counter> Add(const Labels& labels) const;

 private:
  CounterFamily() = default;
  explicit CounterFamily(TRITONSERVER_MetricFamily* family) : family_(family) {}
  UniqueHandle<MetricFamilyTraits> family_;
};

// All families of the backend.
struct Metrics {
  static Result<Metrics> Create();

  CounterFamily steps;      // steps that were run, one a batch
  CounterFamily failures;   // steps that failed once they had started
  CounterFamily rank_time;  // microseconds that each rank computed
  CounterFamily down;       // gauge: instances whose ranks failed and are not loaded anew yet
};

}  // namespace tessera::triton
