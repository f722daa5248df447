#include "tessera/triton/model_files.h"

#include "tessera/plan/plan.h"

namespace tessera::triton {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOnnxFile = "model.onnx";
constexpr const char* kTensorRtFile = "model.plan";  // what the server fills in for a backend named tensorrt

bool Exists(const fs::path& file) {
  std::error_code ignored;  // a file that cannot be looked at is not there for us
  return fs::exists(file, ignored);
}

std::string RankFile(const std::string& file, size_t rank) {
  return fmt::format("{}.rank{}", file, rank);
}

bool HasRankEngines(const fs::path& directory) {
  return Exists(directory / RankFile(kTensorRtFile, 0));
}

std::string EngineFile(const Settings& settings) {
  return settings.model_file.empty() ? kTensorRtFile : settings.model_file;
}

// The server names model.plan whether the user said so or not; anything else is the user's word.
bool UserNamesFile(const Settings& settings) {
  return !settings.model_file.empty() && settings.model_file != kTensorRtFile;
}

std::string LoneFile(const fs::path& directory, const Settings& settings) {
  const bool named = UserNamesFile(settings) || Exists(directory / kTensorRtFile);
  return named ? EngineFile(settings) : kOnnxFile;
}

Result<void> CheckThere(const fs::path& path, const Settings& settings, const std::string& what) {
  if (Exists(path)) return {};
  return Fail(Code::kUnavailable, "unable to find '{}' for model instance '{}': {}", path.string(),
              settings.first_instance, what);
}

Result<std::string> EngineFileOn(DeviceId gpu, const Settings& settings, const CapabilityOf& capability) {
  if (settings.cc_model_files.empty()) return EngineFile(settings);
  TRY_ASSIGN(const std::string own, capability(gpu));
  auto found = settings.cc_model_files.find(own);
  return found == settings.cc_model_files.end() ? EngineFile(settings) : found->second;
}

// One engine file for all ranks, or one each.
Result<std::vector<std::string>> EnginesOfRanks(const fs::path& directory, const Settings& settings,
                                                const CapabilityOf& capability) {
  const size_t ranks = settings.gpus.size();
  if (ranks == 0) {
    return Fail(Code::kInvalidArgument,
                "enable_multi_device is true, wanted the GPUs in multi_device_gpus, such as 0,1");
  }
  TRY_ASSIGN(const std::string first, EngineFileOn(settings.gpus.front(), settings, capability));
  const bool each = settings.per_rank_engines.value_or(!Exists(directory / first));
  std::vector<std::string> files;
  for (size_t rank = 0; rank < ranks; ++rank) {
    TRY_ASSIGN(const std::string file, EngineFileOn(settings.gpus[rank], settings, capability));
    files.push_back(each ? RankFile(file, rank) : file);
    TRY(CheckThere(directory / files.back(), settings,
                   fmt::format("the engine of rank {} of {}", rank, ranks)));
  }
  if (!each || !Exists(directory / RankFile(first, ranks))) return files;
  return Fail(Code::kInvalidArgument, "multi_device_gpus lists {} GPUs, but there is a '{}'", ranks,
              RankFile(first, ranks));
}

Result<std::vector<std::string>> LoneEngine(const fs::path& directory, const Settings& settings, DeviceId gpu,
                                            const CapabilityOf& capability) {
  TRY_ASSIGN(const std::string file, EngineFileOn(gpu, settings, capability));
  const bool ranks_only = HasRankEngines(directory) && !Exists(directory / file);
  if (settings.gpus.size() > 1 || ranks_only) {
    return Fail(Code::kInvalidArgument, "{}: wanted parameter enable_multi_device to be true",
                ranks_only ? "there is a model.plan.rank0" : "multi_device_gpus lists several GPUs");
  }
  TRY(CheckThere(directory / file, settings, "nor a plan.json"));
  return std::vector{file};
}

}  // namespace

Result<void> CheckPlanNamesFiles(const Settings& settings) {
  if (!settings.cc_model_files.empty()) {
    return Fail(Code::kInvalidArgument, "cc_model_filenames names files, and so does plan.json: wanted one");
  }
  if (!UserNamesFile(settings) || settings.model_file == plan::kPlanFile) return {};
  return Fail(Code::kInvalidArgument,
              "default_model_filename is '{}', but there is a plan.json, which names its files itself",
              settings.model_file);
}

std::string EngineOfFiles(const fs::path& directory, const Settings& settings) {
  const bool engines = settings.multi_device.value_or(false) || !settings.cc_model_files.empty() ||
                       HasRankEngines(directory) ||
                       fs::path(LoneFile(directory, settings)).extension() == ".plan";
  return engines ? "tensorrt" : "openvino";
}

Result<std::vector<std::string>> FilesOfRanks(const fs::path& directory, const Settings& settings,
                                              std::optional<DeviceId> gpu, const CapabilityOf& capability) {
  if (settings.multi_device.value_or(false)) return EnginesOfRanks(directory, settings, capability);
  if (EngineOfFiles(directory, settings) == "tensorrt") {
    const DeviceId first = settings.gpus.empty() ? DeviceId(0) : settings.gpus.front();
    return LoneEngine(directory, settings, gpu.value_or(first), capability);
  }
  const std::string file = LoneFile(directory, settings);
  TRY(CheckThere(directory / file, settings, "nor a plan.json"));
  return std::vector{file};
}

}  // namespace tessera::triton
