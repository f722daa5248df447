// report.html: one page for people about what was decided and why. It needs nothing but itself: no network,
// no other file.
#pragma once

#include <filesystem>

#include "tessera/base/result.h"
#include "tessera/shard/rank_model.h"
#include "tessera/shard/shard.h"

namespace tessera::shard::report {

inline constexpr const char* kReportFile = "report.html";

// A few hundred kilobytes, also of a large model: repeated layers are drawn once, and lists end where nobody
// would read on, and say so. `outcome.plan` is complete.
std::string ReportPage(const graph::Graph& model, const RankModel& ranks, const Outcome& outcome);

Result<void> WriteReport(const graph::Graph& model, const RankModel& ranks, const Outcome& outcome,
                         const std::filesystem::path& directory);

}  // namespace tessera::shard::report
