// Builds one rank's engine, for `tessera build`: REQUEST is read, REPORT is written. Exit code 0 when there
// is a report, which may tell of an error.
#include <cstdio>

#include <fmt/core.h>

#include "tessera/base/log.h"
#include "tessera/build/tensorrt/rank_builder.h"

namespace tessera::build {
namespace {

RankReport Run(const char* request_file) {
  Result<RankRequest> request = ReadRequest(request_file);
  Result<RankReport> report = request ? BuildRank(*request) : Result<RankReport>(Forward(std::move(request)));
  if (report) return *std::move(report);
  RankReport failed;
  failed.error = report.error().message;
  return failed;
}

}  // namespace
}  // namespace tessera::build

int main(int argc, char** argv) {
  tessera::SetLogLevel(tessera::LogLevel::kWarning);
  if (argc != 3) {
    fmt::print(stderr, "usage: {} REQUEST REPORT    (`tessera build` runs this program)\n", argv[0]);
    return 2;
  }
  const tessera::Result<void> written = WriteReport(tessera::build::Run(argv[1]), argv[2]);
  if (written) return 0;
  fmt::print(stderr, "{}\n", written.error().ToString());
  return 1;
}
