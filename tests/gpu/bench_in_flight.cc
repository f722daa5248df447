// What is won when a step's data travels while the step before computes.
#include <cstdio>
#include <future>

#include "tessera/cuda/memory.h"
#include "tests/gpu/bench_data.h"

namespace tessera::gputest {
namespace {

using Clock = std::chrono::steady_clock;

// x and y of one request, in host memory.
struct Request {
  std::vector<uint16_t> x;
  cuda::PinnedBuffer pinned_x;
  cuda::PinnedBuffer pinned_y;
  Taker taker;
  engine::Step step;
  std::future<Result<engine::StepReport>> report;
};

Result<std::unique_ptr<Request>> MakeRequest(const Mlp& mlp, int64_t m, int world, bool pinned,
                                             unsigned seed) {
  auto request = std::make_unique<Request>();
  request->x = RandomHalves(static_cast<size_t>(m * mlp.k), seed, 1);
  ConstRegion source = HostRegion(std::as_bytes(std::span(request->x)));
  if (pinned) {
    TRY_ASSIGN(request->pinned_x, cuda::PinnedBuffer::Create(source.bytes()));
    TRY_ASSIGN(request->pinned_y, cuda::PinnedBuffer::Create(static_cast<size_t>(m * mlp.n) * 2));
    const Region x = HostRegion(request->pinned_x.bytes());
    CopyHost(source, x);
    source = {x.data, 1, source.bytes(), source.bytes(), MemoryKind::kPinned};
    Region y = HostRegion(request->pinned_y.bytes());
    y.kind = MemoryKind::kPinned;
    request->taker.TakeTo(Rank(0), 0, y);
  }
  request->step = Common({TensorView{DType::kFloat16, {m, mlp.k}, source}}, world, request->taker,
                         Deadline::In(std::chrono::seconds(600)));
  return request;
}

void Submit(engine::RankGroup& group, Request& request) {
  auto done = std::make_shared<std::promise<Result<engine::StepReport>>>();
  request.report = done->get_future();
  group.Submit(request.step,
               [done](Result<engine::StepReport> report) { done->set_value(std::move(report)); });
}

struct Rate {
  double steps = 0;  // a second
  Spread gpu;        // the slowest rank's time
};

// Of all requests in turns, each submitted again when it is done; a lone one is Run.
Result<Rate> RateOf(engine::RankGroup& group, const std::vector<std::unique_ptr<Request>>& requests,
                    double seconds) {
  std::vector<double> gpu;
  auto once = [&](Request& request) -> Result<void> {
    if (requests.size() == 1) {
      TRY(group.Run(request.step));
      return {};
    }
    if (request.report.valid()) {
      TRY_ASSIGN(const engine::StepReport report, request.report.get());
      const auto slowest = std::max_element(report.rank_time.begin(), report.rank_time.end());
      gpu.push_back(static_cast<double>(slowest->count()) / 1e3);
    }
    Submit(group, request);
    return {};
  };
  for (size_t i = 0; i < 40; ++i) TRY(once(*requests[i % requests.size()]));
  int64_t steps = 0;
  const Clock::time_point start = Clock::now();
  while (MicrosSince(start) < seconds * 1e6) {
    TRY(once(*requests[static_cast<size_t>(steps) % requests.size()]));
    ++steps;
  }
  const double rate = static_cast<double>(steps) / (MicrosSince(start) / 1e6);
  for (const auto& request : requests) {
    if (request->report.valid()) TRY(request->report.get());
  }
  return Rate{rate, SpreadOf(std::move(gpu))};
}

}  // namespace

Result<void> BenchInFlight(const std::vector<int>& worlds) {
  const Mlp mlp{4096, 8192, 4096, 128, 2048};
  std::printf(
      "\nMLP 4096 -> 8192 -> 4096 fp16, x and y in host memory (16 MB each at M = 2048); steps/s, GPU time "
      "in us\n"
      "| GPUs | M | memory | Run, one after the other | 2 in flight | | GPU time of a step then | 3 in "
      "flight | |\n"
      "|---|---|---|---|---|---|---|---|---|\n");
  engine::TensorRtOptions options;
  options.steps_in_flight = 3;
  for (const int world : worlds) {
    TRY_ASSIGN(const std::unique_ptr<Served> served, ServeMlp(mlp, world, options));
    for (const int64_t m : {128, 2048}) {
      for (const bool pinned : {true, false}) {
        std::vector<std::unique_ptr<Request>> requests;
        std::vector<Rate> rates;
        for (unsigned depth = 1; depth <= 3; ++depth) {
          TRY_ASSIGN(std::unique_ptr<Request> request, MakeRequest(mlp, m, world, pinned, depth));
          requests.push_back(std::move(request));
          TRY_ASSIGN(const Rate rate, RateOf(*served->group, requests, 1.0));
          rates.push_back(rate);
        }
        std::printf("| %d | %ld | %s | %.0f | %.0f | %.2fx | %.1f | %.0f | %.2fx |\n", world, m,
                    pinned ? "pinned" : "pageable", rates[0].steps, rates[1].steps,
                    rates[1].steps / rates[0].steps, rates[1].gpu.median, rates[2].steps,
                    rates[2].steps / rates[0].steps);
      }
    }
  }
  return {};
}

}  // namespace tessera::gputest
