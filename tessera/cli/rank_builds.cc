#include "tessera/cli/rank_builds.h"

#include <chrono>
#include <csignal>
#include <cstring>
#include <map>
#include <optional>
#include <set>

#include "tessera/cli/child_process.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;

// Runs out of ranks from the front; children by rank.
class RankBuilds {
 public:
  RankBuilds(const fs::path& program, const std::vector<build::RankRequest>& requests,
             const fs::path& scratch, const BuildSchedule& schedule)
      : program_(program),
        requests_(requests),
        scratch_(scratch),
        schedule_(schedule),
        reports_(requests.size()) {
    for (size_t place = 0; place < schedule.places.size(); ++place) free_places_.insert(place);
  }

  Result<std::vector<build::RankReport>> Run(const std::function<void(size_t)>& done) {
    done(0);
    while (ended_ < requests_.size()) {
      while (CanStart()) TRY(StartNext());
      const int signal = signals_.Next(std::chrono::milliseconds(100));
      if (signal == SIGINT || signal == SIGTERM) return Fail(Code::kCancelled, "interrupted");
      TRY(Collect());
      done(ended_);
    }
    return std::move(reports_);
  }

 private:
  fs::path RequestFile(size_t rank) const { return scratch_ / fmt::format("request.{}", rank); }
  fs::path ReportFile(size_t rank) const { return scratch_ / fmt::format("report.{}", rank); }

  struct Running {
    ChildProcess child;
    size_t place;
  };

  bool CanStart() const {
    const bool waits_for_first = schedule_.first_alone && started_ > 0 && ended_ == 0;
    return started_ < requests_.size() && !free_places_.empty() && !waits_for_first;
  }

  build::RankRequest RequestOf(size_t rank) const {
    build::RankRequest request = requests_[rank];
    if (!schedule_.first_alone || rank == 0) return request;
    std::error_code error;
    const fs::path& timings = requests_.front().next_timing_cache;
    if (fs::exists(timings, error)) request.timing_cache = timings;  // not every library writes one
    return request;
  }

  Result<void> StartNext() {
    const size_t rank = started_++;
    TRY(build::WriteRequest(RequestOf(rank), RequestFile(rank)));
    const size_t place = *free_places_.begin();
    const auto output =
        requests_[rank].verbose ? ChildProcess::Output::kToStandardError : ChildProcess::Output::kNone;
    TRY_ASSIGN(ChildProcess child,
               ChildProcess::Start({program_.string(), RequestFile(rank).string(), ReportFile(rank).string()},
                                   output, schedule_.places[place]));
    free_places_.erase(place);
    running_.emplace(rank, Running{std::move(child), place});
    return {};
  }

  Result<void> Collect() {
    for (auto at = running_.begin(); at != running_.end();) {
      const std::optional<int> code = at->second.child.TryWait();
      if (!code) {
        ++at;
        continue;
      }
      TRY(TakeReport(at->first, *code));
      free_places_.insert(at->second.place);
      at = running_.erase(at);
      ++ended_;
    }
    return {};
  }

  Result<void> TakeReport(size_t rank, int code) {
    if (code == 1) {  // its only error that the report does not tell
      return Fail(Code::kUnavailable, "rank {}: '{}' cannot be written, is there room on the disk?", rank,
                  ReportFile(rank).string());
    }
    if (code != 0) {
      const std::string how = code > 128 ? fmt::format("signal {} ({})", code - 128, strsignal(code - 128))
                                         : fmt::format("code {}", code);
      return Fail(Code::kInternal, "rank {}: '{}' ended with {} while building '{}'", rank,
                  program_.filename().string(), how, requests_[rank].model.filename().string());
    }
    TRY_ASSIGN(reports_[rank], build::ReadReport(ReportFile(rank)));
    if (reports_[rank].error.empty()) return {};
    return Fail(Code::kUnsupported, "rank {}: {}", rank, reports_[rank].error);
  }

  const fs::path& program_;
  const std::vector<build::RankRequest>& requests_;
  const fs::path& scratch_;
  const BuildSchedule& schedule_;
  std::vector<build::RankReport> reports_;
  SignalQueue signals_;
  std::map<size_t, Running> running_;
  std::set<size_t> free_places_;
  size_t started_ = 0;
  size_t ended_ = 0;
};

}  // namespace

Result<std::vector<build::RankReport>> BuildRanks(const fs::path& program,
                                                  const std::vector<build::RankRequest>& requests,
                                                  const fs::path& scratch, const BuildSchedule& schedule,
                                                  const std::function<void(size_t)>& done) {
  return RankBuilds(program, requests, scratch, schedule).Run(done);
}

}  // namespace tessera::cli
