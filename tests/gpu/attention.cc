#include "tests/gpu/attention.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tessera/base/file.h"
#include "tests/gpu/models.h"
#include "tests/nvinfer_standin/plan_file.h"

namespace tessera::gputest {
namespace {

namespace fs = std::filesystem;

fs::path FolderOf(int ranks) {
  const char* folder = std::getenv("TESSERA_ATTENTION");
  return folder == nullptr ? fs::path() : fs::absolute(folder) / std::to_string(ranks);
}

// weights.txt: a line "FILE OFFSET COUNT SEED SCALE" for each fp16 tensor.
Result<void> MakeWeights(const fs::path& folder) {
  std::ifstream list(folder / "weights.txt");
  std::ofstream file;
  std::string opened;
  for (std::string line; std::getline(list, line);) {
    std::istringstream words(line);
    std::string name;
    int64_t offset = 0;
    size_t count = 0;
    unsigned seed = 0;
    float scale = 0;
    if (!(words >> name >> offset >> count >> seed >> scale))
      return Fail(Code::kInvalidArgument, "weights.txt: '{}'", line);
    if (opened.empty() && fs::exists(folder / name)) return {};
    if (opened.empty()) file.open(folder / (name + ".part"), std::ios::binary);
    opened = name;
    const std::vector<uint16_t> values = RandomHalves(count, seed, scale);
    file.seekp(offset);
    file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(count * 2));
  }
  file.close();
  if (opened.empty() || !file) return Fail(Code::kUnavailable, "'{}': no weights written", folder.string());
  fs::rename(folder / (opened + ".part"), folder / opened);
  return {};
}

}  // namespace

bool HasAttention(int ranks) {
  return fs::exists(FolderOf(ranks) / "plan.json");
}

Result<plan::Plan> WriteAttention(int ranks, const fs::path& directory) {
  const fs::path folder = FolderOf(ranks);
  TRY_ASSIGN(plan::Plan plan, plan::ReadPlan(folder));
  TRY(MakeWeights(folder));
  auto shape = [&](int64_t sequence) { return Shape{1, sequence / ranks, kAttentionHidden}; };
  const standin::PlanFile engine{
      folder / "model.onnx.rank0", 0, {{{"x", {shape(1024), shape(8192), shape(32768)}}}}};
  TRY(WriteFileAtomically(directory / "model.plan", standin::PrintPlan(engine)));
  for (plan::RankPlan& rank : plan.ranks) rank.model.file = "model.plan";
  TRY(plan::WritePlan(plan, directory));
  return plan;
}

}  // namespace tessera::gputest
