// What is won when a step's data travels while the step before computes.
#include <cstdio>
#include <future>

#include "tessera/cuda/memory.h"
#include "tests/gpu/bench_data.h"
#include "tests/gpu/device_memory.h"
#include "tests/gpu/gpus.h"

namespace tessera::gputest {
namespace {

using Clock = std::chrono::steady_clock;

// x and y of one request.
struct Request {
  std::vector<uint16_t> x;
  cuda::PinnedBuffer pinned_x;
  cuda::PinnedBuffer pinned_y;
  cuda::DeviceBuffer device_x;
  cuda::DeviceBuffer device_y;
  Taker taker;
  engine::Step step;
  std::future<Result<engine::StepReport>> report;
};

Result<ConstRegion> PutPinned(Request& request, const ConstRegion& source, size_t y_bytes) {
  TRY_ASSIGN(request.pinned_x, cuda::PinnedBuffer::Create(source.bytes()));
  TRY_ASSIGN(request.pinned_y, cuda::PinnedBuffer::Create(y_bytes));
  const Region x = PinnedRegion(request.pinned_x.bytes());
  CopyHost(source, x);
  request.taker.TakeTo(Rank(0), 0, PinnedRegion(request.pinned_y.bytes()));
  return x;
}

Result<ConstRegion> PutOnFirstGpu(Request& request, size_t y_bytes) {
  const DeviceId device = Gpus().front();
  TRY_ASSIGN(request.device_x, Upload(request.x, device));
  TRY_ASSIGN(request.device_y, cuda::DeviceBuffer::Create(device, y_bytes));
  request.taker.TakeTo(Rank(0), 0, Whole(request.device_y));
  return Whole(request.device_x);
}

Result<std::unique_ptr<Request>> MakeRequest(const Mlp& mlp, int64_t m, int world, MemoryKind kind,
                                             unsigned seed) {
  auto request = std::make_unique<Request>();
  request->x = RandomHalves(static_cast<size_t>(m * mlp.k), seed, 1);
  ConstRegion source = HostRegion(std::as_bytes(std::span(request->x)));
  const size_t y_bytes = static_cast<size_t>(m * mlp.n) * 2;
  if (kind == MemoryKind::kPinned) {
    TRY_ASSIGN(source, PutPinned(*request, source, y_bytes));
  } else if (kind == MemoryKind::kDevice) {
    TRY_ASSIGN(source, PutOnFirstGpu(*request, y_bytes));
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

struct Way {
  const char* name;
  engine::ReplicationWay way;
};

const char* NameOf(MemoryKind kind) {
  switch (kind) {
    case MemoryKind::kHost:
      return "pageable";
    case MemoryKind::kPinned:
      return "pinned";
    case MemoryKind::kDevice:
      return "GPU 0";
  }
  return "";
}

// One row: the rates with one, two and three requests in turns.
Result<void> BenchRow(engine::RankGroup& group, const Mlp& mlp, int64_t m, int world, MemoryKind kind,
                      const char* way) {
  std::vector<std::unique_ptr<Request>> requests;
  std::vector<Rate> rates;
  for (unsigned depth = 1; depth <= 3; ++depth) {
    TRY_ASSIGN(std::unique_ptr<Request> request, MakeRequest(mlp, m, world, kind, depth));
    requests.push_back(std::move(request));
    TRY_ASSIGN(const Rate rate, RateOf(group, requests, 0.7));
    rates.push_back(rate);
  }
  std::printf("| %d | %ld | %s | %s | %.0f | %.0f | %.2fx | %.1f | %.0f | %.2fx |\n", world, m, NameOf(kind),
              way, rates[0].steps, rates[1].steps, rates[1].steps / rates[0].steps, rates[1].gpu.median,
              rates[2].steps, rates[2].steps / rates[0].steps);
  std::fflush(stdout);
  return {};
}

}  // namespace

Result<void> BenchInFlight(const std::vector<int>& worlds) {
  const Mlp mlp{4096, 8192, 4096, 128, 2048};
  std::printf(
      "\nMLP 4096 -> 8192 -> 4096 fp16, x and y in the memory named (16 MB each at M = 2048); steps/s, GPU "
      "time in us\n"
      "| GPUs | M | memory | x to all ranks | Run, one after the other | 2 in flight | | GPU time of a step "
      "then | 3 in flight | |\n"
      "|---|---|---|---|---|---|---|---|---|---|\n");
  for (const int world : worlds) {
    for (const Way& way :
         {Way{"as chosen", engine::ReplicationWay::kAuto}, Way{"copies", engine::ReplicationWay::kCopies}}) {
      if (world == 1 && way.way != engine::ReplicationWay::kAuto) continue;
      engine::TensorRtOptions options;
      options.steps_in_flight = 3;
      options.replication = way.way;
      TRY_ASSIGN(const std::unique_ptr<Served> served, ServeMlp(mlp, world, options));
      for (const int64_t m : {128, 2048}) {
        for (const MemoryKind kind : {MemoryKind::kHost, MemoryKind::kPinned, MemoryKind::kDevice}) {
          TRY(BenchRow(*served->group, mlp, m, world, kind, way.name));
        }
      }
    }
  }
  return {};
}

}  // namespace tessera::gputest
