#include "tessera/exec/model_directory.h"

#include <system_error>
#include <vector>

namespace tessera::exec {
namespace {

namespace fs = std::filesystem;

bool Exists(const fs::path& file) {
  std::error_code ignored;  // a file that cannot be looked at is not there
  return fs::exists(file, ignored);
}

plan::Plan SinglePlan(const fs::path& directory, const std::string& model_file) {
  plan::Plan plan;
  plan.model_name = directory.filename().string();
  plan.strategy = kSingleStrategy;
  plan.engine = "openvino";
  plan::RankPlan rank;
  rank.model.file = model_file;
  plan.ranks.push_back(rank);
  return plan;
}

std::vector<plan::TensorPlan> Replicated(const std::vector<TensorSpec>& specs) {
  std::vector<plan::TensorPlan> tensors;
  for (const TensorSpec& spec : specs)
    tensors.push_back({spec, std::vector<std::string>(spec.shape.size()), {}});
  return tensors;
}

}  // namespace

Result<plan::Plan> OpenModelDirectory(const fs::path& directory, const std::string& model_file, bool verify) {
  if (Exists(directory / plan::kPlanFile)) {
    TRY_ASSIGN(plan::Plan plan, plan::ReadPlan(directory));
    if (verify) TRY(plan::VerifyArtifacts(plan, directory));
    return plan;
  }
  if (Exists(directory / model_file)) return SinglePlan(directory, model_file);
  return Fail(Code::kNotFound, "'{}' has neither {} nor {}", directory.string(), plan::kPlanFile, model_file);
}

bool IsSingleModel(const plan::Plan& plan) {
  // No plan that was read has an artifact without its sum.
  return plan.world_size() == 1 && plan.ranks.front().model.sha256.empty();
}

void DescribeTensors(const engine::RankGroup& group, plan::Plan& plan) {
  plan.inputs = Replicated(group.inputs());
  plan.outputs = Replicated(group.outputs());
}

}  // namespace tessera::exec
