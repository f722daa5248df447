#include "tessera/shard/write_ranks.h"

#include <fmt/format.h>

#include <map>
#include <memory>

#include "tessera/base/sha256.h"
#include "tessera/graph/onnx.h"

namespace tessera::shard {
namespace {

namespace fs = std::filesystem;
using graph::ExternalData;
using graph::ValueId;
using graph::WeightFile;

// Smaller tensors stay in the model file: shapes, scalars, biases that a reader wants to see.
constexpr size_t kExternalFrom = 1024;

constexpr const char* kSharedFile = "model.weights.shared";

Result<plan::Artifact> ArtifactOf(const fs::path& directory, const std::string& file) {
  TRY_ASSIGN(std::string sha256, Sha256OfFile(directory / file));
  std::error_code error;
  const auto bytes = fs::file_size(directory / file, error);
  if (error) return Fail(Code::kUnavailable, "cannot read the size of '{}': {}", file, error.message());
  return plan::Artifact{file, ByteCount{bytes}, std::move(sha256)};
}

class RanksWriter {
 public:
  RanksWriter(const RankModel& model, const fs::path& directory) : model_(model), directory_(directory) {}

  Result<std::vector<plan::RankPlan>> Run(const std::function<void(int)>& progress) {
    TRY_ASSIGN(shared_, WeightFile::Create(directory_ / kSharedFile));
    std::vector<plan::RankPlan> ranks;
    for (int rank = 0; rank < model_.parts; ++rank) {
      TRY_ASSIGN(plan::RankPlan plan, WriteRank(rank));
      ranks.push_back(std::move(plan));
      progress(rank + 1);
    }
    if (shared_->size() == 0) return ranks;  // never closed: it leaves no file
    TRY(shared_->Close());
    TRY_ASSIGN(const plan::Artifact artifact, ArtifactOf(directory_, kSharedFile));
    for (plan::RankPlan& rank : ranks) rank.weights.push_back(artifact);
    return ranks;
  }

 private:
  Result<plan::RankPlan> WriteRank(int rank) {
    const std::string model_file = fmt::format("model.onnx.rank{}", rank);
    const std::string weight_file = fmt::format("model.weights.rank{}", rank);
    plan::RankPlan plan;
    uint64_t held = 0;
    TRY_ASSIGN(const std::unique_ptr<WeightFile> own, WeightFile::Create(directory_ / weight_file));
    TRY(graph::WriteOnnx(model_.graph, directory_ / model_file,
                         [&](ValueId id) { return Content(id, rank, *own, weight_file, held); }));
    if (own->size() > 0) {
      TRY(own->Close());
      TRY_ASSIGN(plan::Artifact artifact, ArtifactOf(directory_, weight_file));
      plan.weights.push_back(std::move(artifact));
    }
    TRY_ASSIGN(plan.model, ArtifactOf(directory_, model_file));
    plan.weight_bytes = ByteCount{held};
    return plan;
  }

  Result<graph::InitializerContent> Content(ValueId id, int rank, WeightFile& own,
                                            const std::string& own_name, uint64_t& held) {
    const auto found = model_.constants.find(id);
    if (found == model_.constants.end()) {
      return Fail(Code::kInternal, "initializer '{}' has no content", model_.graph.value(id).name);
    }
    const RankConstant& constant = found->second;
    auto content = std::make_shared<graph::Constant>(OnRank(constant, rank, model_.parts));
    held += content->bytes.size();
    if (content->raw || content->bytes.size() < kExternalFrom)
      return graph::InitializerContent(std::move(content));
    if (!constant.shared()) {
      TRY_ASSIGN(ExternalData place, own.Append(content->bytes));
      place.file = own_name;
      return graph::InitializerContent(std::move(place));
    }
    auto [place, fresh] = places_.try_emplace(id);
    if (fresh) {
      TRY_ASSIGN(place->second, shared_->Append(content->bytes));
      place->second.file = kSharedFile;
    }
    return graph::InitializerContent(place->second);
  }

  const RankModel& model_;
  const fs::path& directory_;
  std::unique_ptr<WeightFile> shared_;
  std::map<ValueId, ExternalData> places_;  // in the shared file, written when the first rank asks
};

}  // namespace

Result<std::vector<plan::RankPlan>> WriteRanks(const RankModel& model, const fs::path& directory,
                                               const std::function<void(int)>& progress) {
  return RanksWriter(model, directory).Run(progress);
}

}  // namespace tessera::shard
