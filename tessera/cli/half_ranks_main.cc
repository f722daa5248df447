// What `tessera build --fp16` and `--bf16` give to the builder, for the tests, without a builder: half_ranks
// VERSION FP16|BF16 OUT writes a model's ranks, and its plan with them in it, to the directory OUT. Prints
// how many operators of all ranks go on in FP32.
#include <fmt/core.h>

#include "tessera/cli/built_files.h"
#include "tessera/cli/half_ranks.h"

namespace {

namespace fs = std::filesystem;
using tessera::Result;

Result<void> Convert(const fs::path& version, const char* type_name, const fs::path& out) {
  const auto type = tessera::DTypeFromName(type_name);
  if (!type) return tessera::Fail(tessera::Code::kInvalidArgument, "there is no type '{}'", type_name);
  TRY_ASSIGN(tessera::plan::Plan plan, tessera::plan::ReadPlan(version));
  TRY_ASSIGN(tessera::cli::HalfRanks ranks, tessera::cli::HalveRanks(plan, version, out, *type));
  fmt::print("{} of {}\n", ranks.report.nodes_in_full,
             ranks.report.nodes_in_full + ranks.report.nodes_in_half);
  plan.collectives = std::move(ranks.collectives);
  for (size_t r = 0; r < plan.ranks.size(); ++r) {
    const std::string file = ranks.models[r].filename();
    TRY_ASSIGN(plan.ranks[r].model, tessera::cli::ArtifactOf(out, file));
    TRY_ASSIGN(tessera::plan::Artifact weights, tessera::cli::ArtifactOf(out, file + ".weights"));
    plan.ranks[r].weights = {std::move(weights)};
  }
  return tessera::plan::WritePlan(plan, out);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  if (auto done = Convert(argv[1], argv[2], argv[3]); !done) {
    fmt::print(stderr, "{}: {}\n", argv[1], done.error().ToString());
    return 1;
  }
  return 0;
}
