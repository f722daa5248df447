#include "tessera/cli/rank_builds.h"

#include <chrono>
#include <csignal>
#include <cstring>
#include <map>
#include <optional>

#include "tessera/cli/child_process.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;

// Runs out of ranks from the front; children by rank.
class RankBuilds {
 public:
  RankBuilds(const fs::path& program, const std::vector<build::RankRequest>& requests,
             const fs::path& scratch)
      : program_(program), requests_(requests), scratch_(scratch), reports_(requests.size()) {}

  Result<std::vector<build::RankReport>> Run(size_t jobs, const std::function<void(size_t)>& done) {
    done(0);
    while (ended_ < requests_.size()) {
      while (started_ < requests_.size() && running_.size() < jobs) TRY(StartNext());
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

  Result<void> StartNext() {
    const size_t rank = started_++;
    TRY(build::WriteRequest(requests_[rank], RequestFile(rank)));
    const auto output =
        requests_[rank].verbose ? ChildProcess::Output::kToStandardError : ChildProcess::Output::kNone;
    TRY_ASSIGN(ChildProcess child,
               ChildProcess::Start({program_.string(), RequestFile(rank).string(), ReportFile(rank).string()},
                                   output));
    running_.emplace(rank, std::move(child));
    return {};
  }

  Result<void> Collect() {
    for (auto at = running_.begin(); at != running_.end();) {
      const std::optional<int> code = at->second.TryWait();
      if (!code) {
        ++at;
        continue;
      }
      TRY(TakeReport(at->first, *code));
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
  std::vector<build::RankReport> reports_;
  SignalQueue signals_;
  std::map<size_t, ChildProcess> running_;
  size_t started_ = 0;
  size_t ended_ = 0;
};

}  // namespace

Result<std::vector<build::RankReport>> BuildRanks(const fs::path& program,
                                                  const std::vector<build::RankRequest>& requests,
                                                  const fs::path& scratch, size_t jobs,
                                                  const std::function<void(size_t)>& done) {
  return RankBuilds(program, requests, scratch).Run(jobs, done);
}

}  // namespace tessera::cli
