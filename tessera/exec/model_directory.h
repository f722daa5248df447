// What a directory holds: a plan, or a lone model that runs as one rank.
#pragma once

#include <filesystem>
#include <string>

#include "tessera/base/result.h"
#include "tessera/engine/rank_group.h"
#include "tessera/plan/plan.h"

namespace tessera::exec {

inline constexpr const char* kSingleStrategy = "single";

// The plan of `directory`, its files compared with it when `verify`; without plan.json the plan of its
// `model_file` as one rank, its inputs and outputs not known yet. Errors: kNotFound (neither), and those of
// plan::ReadPlan and plan::VerifyArtifacts.
Result<plan::Plan> OpenModelDirectory(const std::filesystem::path& directory, const std::string& model_file,
                                      bool verify);

// True for a plan that was made for a lone model.
bool IsSingleModel(const plan::Plan& plan);

// Puts what the loaded model declares into the plan of a lone model.
void DescribeTensors(const engine::RankGroup& group, plan::Plan& plan);

}  // namespace tessera::exec
