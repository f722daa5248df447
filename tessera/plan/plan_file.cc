#include <map>
#include <system_error>

#include "tessera/base/file.h"
#include "tessera/base/sha256.h"
#include "tessera/plan/plan.h"

namespace tessera::plan {
namespace {

namespace fs = std::filesystem;

// `whose`: "rank 0".
Result<void> VerifyArtifact(const Artifact& artifact, const std::string& whose, const fs::path& directory) {
  const fs::path file = directory / artifact.file;
  std::error_code failed;
  const uint64_t bytes = fs::file_size(file, failed);
  if (failed) return Fail(Code::kNotFound, "{}: no file '{}': {}", whose, file.string(), failed.message());
  if (bytes != artifact.bytes.value()) {
    return Fail(Code::kInvalidArgument, "{}: '{}' has {} bytes, the plan wants {}", whose, file.string(),
                bytes, artifact.bytes.value());
  }
  TRY_ASSIGN(const std::string sha256, Sha256OfFile(file));
  if (sha256 != artifact.sha256) {
    return Fail(Code::kInvalidArgument, "{}: '{}' has sha256 {}, the plan wants {}", whose, file.string(),
                sha256, artifact.sha256);
  }
  return {};
}

// Verifies each file once, however many ranks name it; they must agree about it.
class Verifier {
 public:
  explicit Verifier(const fs::path& directory) : directory_(directory) {}

  Result<void> Check(const Artifact& artifact, const std::string& whose) {
    auto [seen, first_time] = seen_.emplace(artifact.file, &artifact);
    if (first_time) return VerifyArtifact(artifact, whose, directory_);
    if (*seen->second == artifact) return {};
    return Fail(Code::kInvalidArgument, "{}: '{}' stands in the plan with another size or sha256 before",
                whose, artifact.file);
  }

 private:
  const fs::path& directory_;
  std::map<std::string, const Artifact*> seen_;
};

}  // namespace

Result<Plan> ReadPlan(const fs::path& directory) {
  const fs::path file = directory / kPlanFile;
  TRY_ASSIGN(const std::string text, ReadFile(file));
  Result<Plan> plan = FromJson(text);
  if (!plan) {
    Error error = std::move(plan).error();
    error.message = fmt::format("{}: {}", file.string(), error.message);
    return tl::unexpected<Error>(std::move(error));
  }
  return plan;
}

Result<void> WritePlan(const Plan& plan, const fs::path& directory) {
  TRY(Validate(plan));
  const std::string text = ToJson(plan);
  TRY_ASSIGN(const Plan again, FromJson(text));
  if (again != plan)
    return Fail(Code::kInvalidArgument, "plan of '{}': a name is not UTF-8", plan.model_name);
  return WriteFileAtomically(directory / kPlanFile, text);
}

Result<void> VerifyArtifacts(const Plan& plan, const fs::path& directory) {
  Verifier verifier(directory);
  for (size_t r = 0; r < plan.ranks.size(); ++r) {
    const std::string whose = fmt::format("rank {}", r);
    TRY(verifier.Check(plan.ranks[r].model, whose));
    for (const Artifact& weights : plan.ranks[r].weights) TRY(verifier.Check(weights, whose));
  }
  return plan.probe ? verifier.Check(plan.probe->file, "probe") : Result<void>();
}

}  // namespace tessera::plan
