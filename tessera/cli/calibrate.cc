#include "tessera/cli/calibrate.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>

#include <fmt/format.h>

#include "tessera/cli/benchmark.h"
#include "tessera/cli/calibration_models.h"
#include "tessera/cli/runner.h"
#include "tessera/cli/scratch_directory.h"
#include "tessera/engine/registry/registry.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;
using shard::Curve;
using std::chrono::nanoseconds;

constexpr const char* kEngine = "openvino";
constexpr std::chrono::milliseconds kShortTurn{10};
constexpr int kFewOps = 4;
constexpr int kManyOps = 36;
// A time that noise pushed to nothing: no op is faster.
constexpr double kLeastUs = 0.01;

// How many ops a model has of a size: the smaller they are, the more, or the step's own time would drown
// them.
struct ProductSize {
  int64_t rows;
  int64_t size;  // of the square weights
  int count;
  double flops() const { return 2.0 * static_cast<double>(rows * size) * static_cast<double>(size); }
};
constexpr std::array kProducts{ProductSize{32, 32, 32},  ProductSize{64, 96, 32},  ProductSize{128, 192, 16},
                               ProductSize{128, 384, 8}, ProductSize{256, 768, 4}, ProductSize{1024, 768, 2}};
struct MovedSize {
  int64_t bytes;
  int count;
};
constexpr MovedSize kEmptyElementwise{1 << 6, 32};  // its inputs and outputs cost what those of the others do
constexpr std::array kElementwise{MovedSize{1 << 13, 32}, MovedSize{1 << 16, 8}, MovedSize{1 << 19, 4},
                                  MovedSize{1 << 22, 2}, MovedSize{1 << 25, 2}};
constexpr std::array kCollective{MovedSize{1 << 10, 16}, MovedSize{1 << 14, 16}, MovedSize{1 << 16, 16},
                                 MovedSize{1 << 18, 8},  MovedSize{1 << 20, 4},  MovedSize{1 << 23, 2}};

// One model, loaded and ready to be stepped.
struct Probe {
  std::unique_ptr<Runner> runner;
  std::vector<HostTensor> inputs;
  double us = 0;  // of a step
};

// All probes for one number of ranks.
class RanksBench {
 public:
  RanksBench(int ranks, int threads, fs::path directory, engine::Engine& engine)
      : ranks_(ranks), threads_(threads), directory_(std::move(directory)), engine_(engine) {}

  Result<void> Load() {
    TRY(Add(few_, TinyOpsModel(ranks_, kFewOps)));
    TRY(Add(many_, TinyOpsModel(ranks_, kManyOps)));
    for (size_t i = 0; i < kProducts.size(); ++i)
      TRY(Add(products_[i], ProductModel(ranks_, kProducts[i].rows, kProducts[i].size, kProducts[i].count)));
    TRY(Add(empty_copies_, ElementwiseModel(ranks_, kEmptyElementwise.bytes, kEmptyElementwise.count)));
    for (size_t i = 0; i < kElementwise.size(); ++i)
      TRY(Add(copies_[i], ElementwiseModel(ranks_, kElementwise[i].bytes, kElementwise[i].count)));
    if (ranks_ == 1) return {};
    for (const CollectiveOp op : shard::MeasuredCollectives()) {
      auto& probes = collectives_[op];
      for (size_t i = 0; i < kCollective.size(); ++i)
        TRY(Add(probes[i], CollectiveModel(ranks_, op, kCollective[i].bytes, kCollective[i].count)));
    }
    return {};
  }

  Result<void> Measure(double seconds) {
    std::vector<TimedStep> steps;
    for (Probe* probe : all_) {
      steps.emplace_back([probe]() -> Result<void> {
        TRY(probe->runner->Run(probe->inputs));
        return {};
      });
    }
    TRY_ASSIGN(const auto times,
               MeasureInTurns(steps, nanoseconds(static_cast<int64_t>(seconds * 1e9)), kShortTurn));
    for (size_t i = 0; i < all_.size(); ++i) all_[i]->us = Summarize(times[i]).p25_us;
    return {};
  }

  shard::Speeds Speeds() const {
    shard::Speeds speeds;
    speeds.ranks = ranks_;
    speeds.threads_per_rank = threads_;
    speeds.launch_us = std::max(kLeastUs, (many_.us - few_.us) / (kManyOps - kFewOps));
    speeds.step_us = std::max(0.0, few_.us - kFewOps * speeds.launch_us);
    const auto of_one = [&](const Probe& probe, int count, double besides) {
      return (probe.us - speeds.step_us) / count - besides;
    };
    std::vector<Curve::Point> gemm;
    for (size_t i = 0; i < kProducts.size(); ++i)
      gemm.push_back({kProducts[i].flops(), of_one(products_[i], kProducts[i].count, speeds.launch_us)});
    speeds.gemm = CurveOf(std::move(gemm), Curve::Small::kProportional);
    std::vector<Curve::Point> memory;
    const double empty = of_one(empty_copies_, kEmptyElementwise.count, 0);
    for (size_t i = 0; i < kElementwise.size(); ++i) {
      memory.push_back({2.0 * static_cast<double>(kElementwise[i].bytes),
                        of_one(copies_[i], kElementwise[i].count, empty)});
    }
    speeds.memory = CurveOf(std::move(memory), Curve::Small::kProportional);
    for (const auto& [op, probes] : collectives_) {
      std::vector<Curve::Point> points;
      for (size_t i = 0; i < kCollective.size(); ++i)
        points.push_back(
            {static_cast<double>(kCollective[i].bytes), of_one(probes[i], kCollective[i].count, 0)});
      speeds.collectives.emplace(op, CurveOf(std::move(points), Curve::Small::kConstant));
    }
    return speeds;
  }

 private:
  Result<void> Add(Probe& probe, const shard::RankModel& model) {
    const fs::path directory = directory_ / std::to_string(all_.size());
    std::error_code error;
    if (!fs::create_directory(directory, error))
      return Fail(Code::kUnavailable, "cannot make '{}': {}", directory.string(), error.message());
    TRY(WriteRankModel(model, kEngine, directory));
    exec::Options options;
    options.verify_files = false;
    TRY_ASSIGN(auto executor, exec::Executor::Create(directory, engine_, options));
    for (const TensorSpec& spec : executor->inputs()) {
      TRY_ASSIGN(HostTensor input, MakeTensor(spec));
      probe.inputs.push_back(std::move(input));
    }
    probe.runner = MakeRunner(std::move(executor));
    all_.push_back(&probe);
    return {};
  }

  // Times that do not fall with the size, as a table wants them.
  static Curve CurveOf(std::vector<Curve::Point> points, Curve::Small small) {
    double least = kLeastUs;
    for (Curve::Point& point : points) least = point.us = std::max(point.us, least);
    return {std::move(points), small};
  }

  int ranks_;
  int threads_;
  fs::path directory_;
  engine::Engine& engine_;
  Probe few_;
  Probe many_;
  std::array<Probe, kProducts.size()> products_;
  Probe empty_copies_;
  std::array<Probe, kElementwise.size()> copies_;
  std::map<CollectiveOp, std::array<Probe, kCollective.size()>> collectives_;
  std::vector<Probe*> all_;
};

std::set<int> RankNumbers(int most) {
  std::set<int> numbers{most};
  for (int ranks = 1; ranks <= std::min(most, 4); ++ranks) numbers.insert(ranks);
  for (int ranks = 8; ranks <= most; ranks *= 2) numbers.insert(ranks);
  return numbers;
}

Result<shard::Speeds> MeasureRanks(const CalibrateOptions& options, int ranks) {
  const int threads =
      options.threads_per_rank > 0 ? options.threads_per_rank : std::max(1, options.cores / ranks);
  TRY_ASSIGN(const auto engine, engine::MakeEngine(kEngine, {threads, {}}));
  TRY_ASSIGN(const ScratchDirectory scratch, ScratchDirectory::Create());
  RanksBench bench(ranks, threads, scratch.path(), *engine);
  TRY(bench.Load());
  TRY(bench.Measure(options.seconds));
  return bench.Speeds();
}

}  // namespace

Result<shard::Machine> Calibrate(const CalibrateOptions& options,
                                 const std::function<void(std::string_view, double)>& progress) {
  shard::Machine machine;
  machine.name = options.name;
  machine.cores = options.cores;
  const std::set<int> numbers = RankNumbers(options.ranks);
  for (const int ranks : numbers) {
    progress(fmt::format("{} rank{}", ranks, ranks == 1 ? "" : "s"),
             static_cast<double>(machine.speeds.size()) / static_cast<double>(numbers.size()));
    TRY_ASSIGN(shard::Speeds speeds, MeasureRanks(options, ranks));
    machine.speeds.push_back(std::move(speeds));
  }
  return machine;
}

}  // namespace tessera::cli
