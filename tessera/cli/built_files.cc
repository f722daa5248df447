#include "tessera/cli/built_files.h"

#include <string>
#include <vector>

#include "tessera/base/posix.h"
#include "tessera/base/sha256.h"
#include "tessera/plan/probe_file.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> FilesOf(const plan::Plan& built, const fs::path& scratch) {
  std::vector<std::string> files;
  for (const plan::RankPlan& rank : built.ranks) files.push_back(rank.model.file);
  std::error_code error;
  if (built.probe && fs::exists(scratch / built.probe->file.file, error))
    files.push_back(built.probe->file.file);  // else it is the one of a build before, in its place
  return files;
}

Result<void> Move(const std::string& file, const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from / file, to / file, error);
  if (error) return FailErrno("write", to / file, error.value());
  return {};
}

// Whether it is there or not.
Result<void> Remove(const fs::path& file) {
  std::error_code error;
  fs::remove(file, error);
  if (error) return FailErrno("remove", file, error.value());
  return {};
}

}  // namespace

Result<plan::Artifact> ArtifactOf(const fs::path& directory, const std::string& file) {
  TRY_ASSIGN(std::string sha256, Sha256OfFile(directory / file));
  std::error_code error;
  const auto bytes = fs::file_size(directory / file, error);
  if (error) return FailErrno("read the size of", directory / file, error.value());
  return plan::Artifact{file, ByteCount{bytes}, std::move(sha256)};
}

Result<void> PutInPlace(const plan::Plan& built, plan::Plan sharded, const fs::path& scratch,
                        const fs::path& version) {
  const std::vector<std::string> files = FilesOf(built, scratch);
  for (const std::string& file : files) TRY(Sync(scratch / file));
  TRY(plan::WritePlan(built, scratch));
  if (!built.probe || !sharded.probe || built.probe->file != sharded.probe->file) sharded.probe.reset();
  TRY(plan::WritePlan(sharded, version));
  for (const std::string& file : files) TRY(Move(file, scratch, version));
  TRY(Sync(version));  // a plan does not outlive a crash of the machine that its files do not
  TRY(Move(plan::kPlanFile, scratch, version));
  if (!built.probe) TRY(Remove(version / plan::kProbeFile));
  return Sync(version);
}

}  // namespace tessera::cli
