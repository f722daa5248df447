#include "tessera/triton/metrics.h"

#include "tessera/triton/error.h"

namespace tessera::triton {
namespace {

struct ParameterTraits {
  using Handle = TRITONSERVER_Parameter*;
  static constexpr Handle kNone = nullptr;
  static void Close(Handle parameter) noexcept { TRITONSERVER_ParameterDelete(parameter); }
};

}  // namespace

// Metrics are not worth an error of their own: what cannot be deleted or counted is passed over.
void MetricTraits::Close(Handle metric) noexcept {
  Discard(TRITONSERVER_MetricDelete(metric));
}

void MetricFamilyTraits::Close(Handle family) noexcept {
  Discard(TRITONSERVER_MetricFamilyDelete(family));
}

void Counter::Increment(double value) noexcept {
  if (metric_) Discard(TRITONSERVER_MetricIncrement(metric_.get(), value));
}

Result<CounterFamily> CounterFamily::Create(const char* name, const char* description,
                                            TRITONSERVER_MetricKind kind) {
  TRITONSERVER_MetricFamily* family = nullptr;
  Result<void> made = Check(TRITONSERVER_MetricFamilyNew(&family, kind, name, description));
  if (made) return CounterFamily(family);
  if (made.error().code == Code::kUnsupported) return CounterFamily();  // the server was built without
  return Forward(std::move(made));
}

Result<Counter> CounterFamily::Add(const Labels& labels) const {
  if (!family_) return Counter();
  std::vector<UniqueHandle<ParameterTraits>> owned;
  std::vector<const TRITONSERVER_Parameter*> parameters;
  for (const auto& [name, value] : labels) {
    owned.emplace_back(TRITONSERVER_ParameterNew(name.c_str(), TRITONSERVER_PARAMETER_STRING, value.c_str()));
    parameters.push_back(owned.back().get());
  }
  TRITONSERVER_Metric* metric = nullptr;
  TRY(Check(TRITONSERVER_MetricNew(&metric, family_.get(), parameters.data(), parameters.size())));
  return Counter(metric);
}

Result<Metrics> Metrics::Create() {
  TRY_ASSIGN(CounterFamily steps,
             CounterFamily::Create("tessera_steps_total", "Steps run, one for every batch"));
  TRY_ASSIGN(CounterFamily failures, CounterFamily::Create("tessera_step_failures_total",
                                                           "Steps that failed after they had started"));
  TRY_ASSIGN(CounterFamily rank_time,
             CounterFamily::Create("tessera_rank_compute_us", "Microseconds that a rank has computed"));
  TRY_ASSIGN(CounterFamily down,
             CounterFamily::Create("tessera_instances_down",
                                   "Instances whose ranks failed and are not loaded anew yet",
                                   TRITONSERVER_METRIC_KIND_GAUGE));
  return Metrics{std::move(steps), std::move(failures), std::move(rank_time), std::move(down)};
}

}  // namespace tessera::triton
