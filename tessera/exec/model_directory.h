// What a directory holds: a plan, or the files of a model that has none.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/engine/rank_group.h"
#include "tessera/plan/plan.h"

namespace tessera::exec {

inline constexpr const char* kSingleStrategy = "single";

// The plan of `directory`, its files compared with it when `verify`; without plan.json a plan made up for
// `model_files`, one a rank (several ranks may have the same): every rank takes the inputs whole, the outputs
// are rank 0's; they are not known yet. Errors: kNotFound (neither; the line names the file), and those of
// plan::ReadPlan and plan::VerifyArtifacts.
Result<plan::Plan> OpenModelDirectory(const std::filesystem::path& directory,
                                      const std::vector<std::string>& model_files, bool verify);

// True for a plan that was not read.
bool IsMadeUp(const plan::Plan& plan);

// Puts what the loaded model declares into a plan that was made up.
void Describe(const engine::Engine& engine, const engine::RankGroup& group, plan::Plan& plan);

// Tells any plan which of its inputs are shape tensors, and which are kept in 32 bits: only the engines know.
void MarkInputs(const engine::RankGroup& group, plan::Plan& plan);

}  // namespace tessera::exec
