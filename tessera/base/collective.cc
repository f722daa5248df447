#include "tessera/base/collective.h"

#include <algorithm>
#include <array>

namespace tessera {
namespace {

constexpr std::array<std::string_view, 8> kOps{"all_reduce", "all_gather", "broadcast", "reduce",
                                               "reduce_scatter", "all_to_all", "gather", "scatter"};
constexpr std::array<std::string_view, 6> kReductions{"none", "sum", "prod", "max", "min", "avg"};

template <class Enum, size_t N>
std::optional<Enum> Find(const std::array<std::string_view, N>& names, std::string_view name) {
  auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

}  // namespace

std::string_view Name(CollectiveOp op) { return kOps.at(static_cast<size_t>(op)); }
std::string_view Name(ReduceOp op) { return kReductions.at(static_cast<size_t>(op)); }

std::optional<CollectiveOp> CollectiveOpFromName(std::string_view name) { return Find<CollectiveOp>(kOps, name); }
std::optional<ReduceOp> ReduceOpFromName(std::string_view name) { return Find<ReduceOp>(kReductions, name); }

bool Reduces(CollectiveOp op) {
  return op == CollectiveOp::kAllReduce || op == CollectiveOp::kReduce || op == CollectiveOp::kReduceScatter;
}

bool IsRooted(CollectiveOp op) {
  return op == CollectiveOp::kBroadcast || op == CollectiveOp::kReduce || op == CollectiveOp::kGather ||
         op == CollectiveOp::kScatter;
}

}  // namespace tessera
