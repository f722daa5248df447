#include "tessera/cli/repository.h"

#include "tessera/base/file.h"
#include "tessera/base/log.h"
#include "tessera/cli/model_config.h"
#include "tessera/cli/model_directory.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;

// A directory that exists from here on. What had to be made for it goes again if it is still empty at the
// end.
class EnsuredDirectory {
 public:
  static Result<EnsuredDirectory> Create(const fs::path& directory) {
    std::error_code error;
    fs::path topmost;  // the first ancestor that was missing
    for (fs::path at = fs::absolute(directory).lexically_normal(); !fs::exists(at, error);
         at = at.parent_path()) {
      topmost = at;
    }
    fs::create_directories(directory, error);
    if (error) return Fail(Code::kUnavailable, "cannot make '{}': {}", directory.string(), error.message());
    return EnsuredDirectory(directory, topmost);
  }
  EnsuredDirectory(EnsuredDirectory&& other) noexcept
      : directory_(std::move(other.directory_)), topmost_(std::exchange(other.topmost_, fs::path())) {}
  EnsuredDirectory& operator=(EnsuredDirectory&&) = delete;
  ~EnsuredDirectory() {
    if (topmost_.empty()) return;
    std::error_code error;  // not empty any more: then it stays
    for (fs::path at = fs::absolute(directory_).lexically_normal();
         fs::remove(at, error) && at != topmost_;) {
      at = at.parent_path();
    }
  }

 private:
  EnsuredDirectory(fs::path directory, fs::path topmost)
      : directory_(std::move(directory)), topmost_(std::move(topmost)) {}
  fs::path directory_;
  fs::path topmost_;  // empty: nothing was made
};

// Beside the repository where that is possible: Triton takes every directory in it for a model, hidden ones
// too, and does not start with half of one.
Result<StagedDirectory> Stage(const fs::path& repository, const std::string& name) {
  std::error_code error;
  const fs::path real = fs::canonical(repository, error);
  if (error) return Fail(Code::kUnavailable, "cannot find '{}': {}", repository.string(), error.message());
  Result<StagedDirectory> beside = StagedDirectory::CreateIn(real.parent_path(), repository / name);
  if (beside || beside.error().code == Code::kAlreadyExists) return beside;
  Result<StagedDirectory> inside = StagedDirectory::Create(repository / name);
  if (inside) {
    TESSERA_LOG(kWarning, "a server that starts before '{}' is whole would take half of it for a model: {}",
                (repository / name).string(), beside.error().message);
  }
  return inside;
}

}  // namespace

Result<shard::Outcome> AddModel(const fs::path& repository, const std::string& name, int max_batch,
                                const VersionWriter& write) {
  TRY(CheckModelName(name));
  TRY_ASSIGN(EnsuredDirectory ensured, EnsuredDirectory::Create(repository));
  TRY_ASSIGN(StagedDirectory staged, Stage(repository, name));
  const fs::path version = staged.path() / "1";
  std::error_code error;
  fs::create_directory(version, error);
  if (error) return Fail(Code::kUnavailable, "cannot make '{}': {}", version.string(), error.message());
  TRY_ASSIGN(shard::Outcome outcome, write(version));
  TRY_ASSIGN(const std::string config, ModelConfig(outcome.plan, name, max_batch));
  TRY(WriteFileAtomically(staged.path() / "config.pbtxt", config));
  fs::create_directories(repository, error);  // whoever made it may have removed it, empty, meanwhile
  TRY(staged.Commit());
  return outcome;
}

}  // namespace tessera::cli
