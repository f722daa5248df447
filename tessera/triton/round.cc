#include "tessera/triton/round.h"

#include "tessera/triton/error.h"

namespace tessera::triton {

void Round::Take(std::span<Request* const> taken, uint64_t exec_start) {
  requests.reserve(taken.size());
  order.reserve(taken.size());
  for (Request* request : taken) order.push_back(&requests.emplace_back(std::move(*request)));
  times = {exec_start, exec_start, exec_start, exec_start};
}

void Round::Answer(const Result<void>& done) noexcept {
  for (Request& request : requests) {
    if (request.answered()) continue;
    if (done) {
      request.Answer();
    } else {
      request.AnswerError(done.error());
    }
  }
}

void Round::Report(TRITONBACKEND_ModelInstance* instance) const noexcept {
  uint64_t batch = 0;
  for (const Request& request : requests) {
    request.Report(instance, times);
    batch += static_cast<uint64_t>(request.batch_size());
  }
  Discard(TRITONBACKEND_ModelInstanceReportBatchStatistics(
      instance, batch, times.exec_start, times.compute_start, times.compute_end, times.exec_end));
}

}  // namespace tessera::triton
