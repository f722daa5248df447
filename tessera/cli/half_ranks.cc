#include "tessera/cli/half_ranks.h"

#include <map>
#include <string_view>

#include <fmt/format.h>

#include "tessera/graph/onnx.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLeastOutside = 1024;  // bytes of a constant that is written beside the ONNX file

Result<void> WriteHalfRank(const graph::Graph& model, const fs::path& file) {
  TRY_ASSIGN(const auto weights, graph::WeightFile::Create(file.string() + ".weights"));
  TRY(graph::WriteOnnx(model, file, [&](graph::ValueId id) -> Result<graph::InitializerContent> {
    const auto constant = model.value(id).constant;
    if (constant->raw != nullptr || constant->bytes.size() < kLeastOutside) return constant;
    TRY_ASSIGN(graph::ExternalData data, weights->Append(constant->bytes));
    return data;
  }));
  return weights->Close();
}

Result<std::vector<plan::CollectivePlan>> HalveRank(const plan::Plan& plan, const fs::path& from,
                                                    const fs::path& to, DType type, graph::HalfReport& sum) {
  TRY_ASSIGN(graph::Graph model, graph::ReadOnnx(from));
  TRY_ASSIGN(const graph::HalfReport report, graph::ToHalf(model, type));
  sum.nodes_in_half += report.nodes_in_half;
  sum.nodes_in_full += report.nodes_in_full;
  sum.clamped += report.clamped;
  TRY(WriteHalfRank(model, to));
  return CarriedBy(model, plan);
}

}  // namespace

Result<std::vector<plan::CollectivePlan>> CarriedBy(const graph::Graph& model, const plan::Plan& plan) {
  std::map<std::string_view, DType> types;
  for (const graph::Node& node : model.nodes()) {
    if (node.op_type == "DistCollective" && !node.outputs.empty())
      types.emplace(node.name, model.value(node.outputs.front()).type);
  }
  std::vector<plan::CollectivePlan> collectives = plan.collectives;
  for (plan::CollectivePlan& collective : collectives) {
    const auto found = types.find(collective.name);
    if (found == types.end() || BitsOf(found->second) == 0) {
      return Fail(Code::kInvalidArgument, "collective '{}' of the plan: the model {}", collective.name,
                  found == types.end() ? "does not have it" : "does not tell its type");
    }
    const auto bits = static_cast<uint64_t>(BitsOf(collective.type));
    if (bits == 0) return Fail(Code::kInvalidArgument, "collective '{}' has no type", collective.name);
    collective.bytes =
        ByteCount{collective.bytes.value() * static_cast<uint64_t>(BitsOf(found->second)) / bits};
    collective.type = found->second;
  }
  return collectives;
}

Result<HalfRanks> HalveRanks(const plan::Plan& plan, const fs::path& version, const fs::path& directory,
                             DType type) {
  HalfRanks ranks;
  for (size_t r = 0; r < plan.ranks.size(); ++r) {
    ranks.models.push_back(directory / fmt::format("{}.onnx.rank{}", graph::LowerName(type), r));
    auto carried =
        HalveRank(plan, version / plan.ranks[r].model.file, ranks.models.back(), type, ranks.report);
    if (!carried)
      return Fail(carried.error().code, "rank {}, to {}: {}", r, DTypeName(type), carried.error().message);
    if (r == 0) ranks.collectives = *carried;
    if (*carried == ranks.collectives) continue;
    return Fail(Code::kInternal, "rank {} in {} carries other types in its collectives than rank 0", r,
                DTypeName(type));
  }
  return ranks;
}

}  // namespace tessera::cli
