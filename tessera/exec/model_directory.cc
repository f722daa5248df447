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

// Of Triton's REPOSITORY/NAME/VERSION, or of any other folder.
std::string NameOf(const fs::path& directory) {
  return (directory.parent_path().filename() / directory.filename()).string();
}

plan::Plan MakeUp(const fs::path& directory, const std::vector<std::string>& model_files) {
  plan::Plan plan;
  plan.model_name = NameOf(directory);
  plan.strategy = kSingleStrategy;
  for (const std::string& file : model_files) {
    plan::RankPlan rank;
    rank.model.file = file;
    plan.ranks.push_back(std::move(rank));
  }
  return plan;
}

std::vector<plan::TensorPlan> Replicated(const std::vector<TensorSpec>& specs) {
  std::vector<plan::TensorPlan> tensors;
  for (const TensorSpec& spec : specs)
    tensors.push_back({spec, std::vector<std::string>(spec.shape.size()), {}});
  return tensors;
}

}  // namespace

Result<plan::Plan> OpenModelDirectory(const fs::path& directory, const std::vector<std::string>& model_files,
                                      bool verify) {
  if (Exists(directory / plan::kPlanFile)) {
    TRY_ASSIGN(plan::Plan plan, plan::ReadPlan(directory));
    if (verify) TRY(plan::VerifyArtifacts(plan, directory));
    return plan;
  }
  for (const std::string& file : model_files) {
    if (Exists(directory / file)) continue;
    return Fail(Code::kNotFound, "'{}' has neither {} nor {}", directory.string(), plan::kPlanFile, file);
  }
  return MakeUp(directory, model_files);
}

bool IsMadeUp(const plan::Plan& plan) {
  // No plan that was read has an artifact without its sum.
  return plan.ranks.front().model.sha256.empty();
}

void MarkInputs(const engine::RankGroup& group, plan::Plan& plan) {
  for (const TensorSpec& input : group.inputs()) {
    for (plan::TensorPlan& planned : plan.inputs) {
      if (planned.spec.name != input.name) continue;
      planned.spec.on_host = input.on_host;
      planned.spec.in_32_bits = input.in_32_bits;
    }
  }
}

void Describe(const engine::Engine& engine, const engine::RankGroup& group, plan::Plan& plan) {
  plan.engine = engine.name();
  plan.inputs = Replicated(group.inputs());
  plan.outputs = Replicated(group.outputs());
}

}  // namespace tessera::exec
