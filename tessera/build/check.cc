#include "tessera/build/check.h"

#include <algorithm>
#include <map>

namespace tessera::build {
namespace {

// The kinds of layer that TensorRT makes of them; others have no kernel of their own.
std::string_view LayerKind(CollectiveOp op) {
  switch (op) {
    case CollectiveOp::kAllReduce:
      return "comm_allreduce";
    case CollectiveOp::kAllGather:
      return "comm_allgather";
    case CollectiveOp::kReduceScatter:
      return "comm_reduce_scatter";
    case CollectiveOp::kAllToAll:
      return "comm_alltoall";
    default:
      return "DistCollective";
  }
}

Result<void> CheckNetwork(const plan::Plan& plan, const RankReport& report, size_t rank) {
  if (report.network.size() != plan.collectives.size()) {
    return Fail(Code::kInvalidArgument, "rank {}: the ONNX file has {} collectives, the plan lists {}", rank,
                report.network.size(), plan.collectives.size());
  }
  for (size_t i = 0; i < report.network.size(); ++i) {
    if (report.network[i] == plan.collectives[i].name) continue;
    return Fail(Code::kInvalidArgument,
                "rank {}: collective {} of the ONNX file is '{}', the plan lists '{}'", rank, i,
                report.network[i], plan.collectives[i].name);
  }
  return {};
}

Result<void> CheckEngine(const plan::Plan& plan, const RankReport& report, size_t rank) {
  std::map<std::string_view, const plan::EngineCollective*> found;
  for (const plan::EngineCollective& collective : report.engine) {
    if (!collective.first_profile) continue;
    if (!found.emplace(collective.name, &collective).second) {
      return Fail(Code::kInvalidArgument, "rank {}: the engine has the collective '{}' twice", rank,
                  collective.name);
    }
  }
  for (const plan::CollectivePlan& wanted : plan.collectives) {
    const auto at = found.find(wanted.name);
    if (at == found.end()) {
      return Fail(Code::kInvalidArgument,
                  "rank {}: the engine has {} collectives, and not '{}' ({}) of the plan's {}", rank,
                  found.size(), wanted.name, Name(wanted.op), plan.collectives.size());
    }
    if (at->second->kind == LayerKind(wanted.op)) continue;
    return Fail(Code::kInvalidArgument, "rank {}: collective '{}' is a {} in the engine, {} in the plan",
                rank, wanted.name, at->second->kind, Name(wanted.op));
  }
  if (found.size() == plan.collectives.size()) return {};
  return Fail(Code::kInvalidArgument, "rank {}: the engine has {} collectives, the plan lists {}", rank,
              found.size(), plan.collectives.size());
}

Result<void> CheckOrder(const RankReport& first, const RankReport& report, size_t rank) {
  const auto [ours, others] =
      std::mismatch(report.engine.begin(), report.engine.end(), first.engine.begin(), first.engine.end());
  if (ours == report.engine.end() && others == first.engine.end()) return {};
  const auto name = [](auto at, const RankReport& of) { return at == of.engine.end() ? "none" : at->name; };
  return Fail(Code::kInvalidArgument, "rank {}: collective {} of the engine is '{}', rank 0's is '{}'", rank,
              ours - report.engine.begin(), name(ours, report), name(others, first));
}

}  // namespace

Result<void> CheckCollectives(const plan::Plan& plan, const std::vector<RankReport>& ranks) {
  for (size_t rank = 0; rank < ranks.size(); ++rank) {
    TRY(CheckNetwork(plan, ranks[rank], rank));
    if (!ranks[rank].layers_listed) continue;
    TRY(CheckEngine(plan, ranks[rank], rank));
    TRY(CheckOrder(ranks.front(), ranks[rank], rank));
  }
  return {};
}

}  // namespace tessera::build
