#include "tests/gpu/models.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>

#include "tessera/base/cores.h"
#include "tessera/base/file.h"
#include "tessera/base/sha256.h"
#include "tessera/graph/onnx.h"
#include "tests/nvinfer_standin/plan_file.h"

namespace tessera::gputest {
namespace {

graph::Constant HalfConstant(const std::vector<uint16_t>& halves, Shape shape) {
  std::vector<std::byte> bytes(halves.size() * 2);
  std::memcpy(bytes.data(), halves.data(), bytes.size());
  return graph::Constant::OfBytes(DType::kFloat16, std::move(shape), std::move(bytes));
}

graph::ValueId Append(graph::Graph& graph, const char* op, std::vector<graph::ValueId> inputs,
                      const char* name, DType type, const Shape& shape) {
  graph::Node node;
  node.name = name;
  node.op_type = op;
  node.inputs = std::move(inputs);
  const graph::ValueId out = graph.AddValue(name, type, shape);
  graph.value(out).has_shape = true;
  node.outputs = {out};
  graph.AddNode(std::move(node));
  return out;
}

graph::ValueId AppendCollective(graph::Graph& graph, graph::ValueId in, const char* name, const Shape& shape,
                                int ranks, const char* op, const char* reduce) {
  const graph::ValueId out = Append(graph, "DistCollective", {in}, name, DType::kFloat16, shape);
  graph::Node& node = graph.node(graph.value(out).producer);
  node.domain = "tessera";
  node.Set("collective_operation", std::string(op));
  node.Set("reduce_op", std::string(reduce));
  node.Set("root", int64_t{-1});
  node.Set("nb_rank", int64_t{ranks});
  node.Set("groups", std::vector<int64_t>{});
  node.Set("group_size", int64_t{0});
  return out;
}

graph::Graph NewGraph(const char* name) {
  graph::Graph graph;
  graph.name = name;
  graph.ir_version = 10;
  graph.opsets[""] = 20;
  graph.opsets["tessera"] = 1;
  return graph;
}

// Columns [from, from + count) of a row-major [rows, columns] matrix.
std::vector<uint16_t> Columns(const std::vector<uint16_t>& all, int64_t rows, int64_t columns, int64_t from,
                              int64_t count) {
  std::vector<uint16_t> part(static_cast<size_t>(rows * count));
  for (int64_t r = 0; r < rows; ++r) {
    std::memcpy(part.data() + r * count, all.data() + r * columns + from, static_cast<size_t>(count) * 2);
  }
  return part;
}

// Without the file and the rank.
standin::PlanFile OneProfile(standin::Profile profile) {
  return {{}, 0, {std::move(profile)}, {}};
}

Result<void> WriteEngine(const graph::Graph& graph, int rank, standin::PlanFile profiles,
                         const std::filesystem::path& onnx, const std::filesystem::path& engine) {
  TRY(graph::WriteOnnx(graph, onnx));
  profiles.onnx = onnx;
  profiles.rank = rank;
  return WriteFileAtomically(engine, standin::PrintPlan(profiles));
}

Result<plan::RankPlan> WriteRank(const graph::Graph& graph, int rank, const standin::PlanFile& profile,
                                 const std::filesystem::path& directory) {
  plan::RankPlan rank_plan;
  rank_plan.model.file = fmt::format("model.plan.rank{}", rank);
  TRY(WriteEngine(graph, rank, profile, directory / fmt::format("model.onnx.rank{}", rank),
                  directory / rank_plan.model.file));
  return rank_plan;
}

struct MlpWeights {
  std::vector<uint16_t> first;   // [k, f]
  std::vector<uint16_t> second;  // [f, n]
};

// Of unit variance on the way, so that fp16 neither overflows nor vanishes.
MlpWeights WeightsOf(const Mlp& mlp) {
  const float scale1 = 1.7F / std::sqrt(static_cast<float>(mlp.k));
  const float scale2 = 1.7F / std::sqrt(static_cast<float>(mlp.f));
  return {RandomHalves(static_cast<size_t>(mlp.k * mlp.f), mlp.seed, scale1),
          RandomHalves(static_cast<size_t>(mlp.f * mlp.n), mlp.seed + 1, scale2)};
}

graph::ValueId AppendInput(graph::Graph& graph, const Mlp& mlp) {
  const graph::ValueId x = graph.AddValue("x", DType::kFloat16, {kDynamic, mlp.k});
  graph.value(x).has_shape = true;
  graph.inputs() = {x};
  return x;
}

graph::ValueId AppendMlp(graph::Graph& graph, graph::ValueId x, const Mlp& mlp, const MlpWeights& weights,
                         const char* name) {
  const graph::ValueId first = graph.AddConstant("w1", HalfConstant(weights.first, {mlp.k, mlp.f}));
  const graph::ValueId second = graph.AddConstant("w2", HalfConstant(weights.second, {mlp.f, mlp.n}));
  const graph::ValueId h = Append(graph, "MatMul", {x, first}, "h", DType::kFloat16, {kDynamic, mlp.f});
  const graph::ValueId a = Append(graph, "Relu", {h}, "a", DType::kFloat16, {kDynamic, mlp.f});
  return Append(graph, "MatMul", {a, second}, name, DType::kFloat16, {kDynamic, mlp.n});
}

standin::Profile ProfileOf(const Mlp& mlp, int64_t least_m, int64_t best_m, int64_t most_m) {
  return {{"x", {{least_m, mlp.k}, {best_m, mlp.k}, {most_m, mlp.k}}}};
}

standin::Profile SizesOf(const Mlp& mlp, int64_t best_m, int64_t most_m) {
  if (!mlp.reshaped) return {};
  return {{"s", {{1, 1, 1}, {best_m, mlp.n / 4, 4}, {most_m, mlp.n, mlp.n}}}};
}

standin::PlanFile ProfilesOf(const Mlp& mlp, int64_t least_m) {
  standin::PlanFile plan;
  plan.profiles = {ProfileOf(mlp, least_m, mlp.best_m, mlp.most_m)};
  plan.values = {SizesOf(mlp, mlp.best_m, mlp.most_m)};
  plan.declared = mlp.declared;
  if (mlp.second_most_m == 0) return plan;
  plan.profiles.push_back(ProfileOf(mlp, least_m, mlp.second_most_m, mlp.second_most_m));
  plan.values.push_back(SizesOf(mlp, mlp.second_most_m, mlp.second_most_m));
  return plan;
}

// y in the shape that the values of s say.
graph::ValueId AppendReshape(graph::Graph& graph, graph::ValueId rows) {
  const graph::ValueId sizes = graph.AddValue("s", DType::kInt64, {3});
  graph.value(sizes).has_shape = true;
  graph.inputs().push_back(sizes);
  return Append(graph, "Reshape", {rows, sizes}, "y", DType::kFloat16, {kDynamic, kDynamic, kDynamic});
}

plan::Plan NewPlan(const char* name, int ranks) {
  plan::Plan plan;
  plan.model_name = name;
  plan.engine = "tensorrt";
  plan.strategy = "tensor";
  plan.mesh = {{"tp", ranks}};
  return plan;
}

plan::TensorPlan Replicated(const char* name, DType type, const Shape& shape) {
  plan::TensorPlan tensor;
  tensor.spec = {name, type, shape};
  tensor.dim_names.resize(shape.size());
  return tensor;
}

}  // namespace

TempDirectory::TempDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "tessera-gpu-XXXXXX").string();
  path_ = mkdtemp(name.data()) == nullptr ? "" : name;
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

uint16_t ToHalf(float value) {
  const _Float16 half = static_cast<_Float16>(value);
  uint16_t bits = 0;
  std::memcpy(&bits, &half, sizeof(bits));
  return bits;
}

float FromHalf(uint16_t bits) {
  _Float16 half = 0;
  std::memcpy(&half, &bits, sizeof(bits));
  return static_cast<float>(half);
}

std::vector<uint16_t> RandomHalves(size_t count, unsigned seed, float scale) {
  std::vector<uint16_t> halves(count);
  constexpr size_t kBlock = size_t{1} << 20;  // a block has its own seed, so that threads share the work
  const size_t blocks = (count + kBlock - 1) / kBlock;
  const size_t threads = std::min<size_t>(blocks, static_cast<size_t>(UsableCores()));
  std::vector<std::thread> workers;
  for (size_t t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      for (size_t b = t; b < blocks; b += threads) {
        std::minstd_rand random(seed * 7919U + static_cast<unsigned>(b) + 1);
        std::uniform_real_distribution<float> uniform(-scale, scale);
        for (size_t i = b * kBlock; i < std::min(count, (b + 1) * kBlock); ++i)
          halves[i] = ToHalf(uniform(random));
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  return halves;
}

Result<plan::Plan> WriteMlp(const Mlp& mlp, int ranks, const std::filesystem::path& directory) {
  const MlpWeights weights = WeightsOf(mlp);
  plan::Plan plan = NewPlan("mlp", ranks);
  plan.inputs = {Replicated("x", DType::kFloat16, {kDynamic, mlp.k})};
  plan.outputs = {Replicated("y", DType::kFloat16, {kDynamic, mlp.n})};
  if (mlp.reshaped) {
    plan.inputs.push_back(Replicated("s", DType::kInt64, {3}));
    plan.outputs = {Replicated("y", DType::kFloat16, {kDynamic, kDynamic, kDynamic})};
  }
  const char* const rows = mlp.reshaped ? "rows" : "y";
  if (ranks > 1) {
    plan.collectives = {{rows,
                         CollectiveOp::kAllReduce,
                         ReduceOp::kSum,
                         "tp",
                         DType::kFloat16,
                         {kDynamic, mlp.n},
                         ByteCount(0)}};
  }
  const int64_t part = mlp.f / ranks;
  for (int r = 0; r < ranks; ++r) {
    graph::Graph graph = NewGraph("mlp");
    const graph::ValueId x = AppendInput(graph, mlp);
    Mlp mine = mlp;
    mine.f = part;
    const MlpWeights rows_and_columns{
        Columns(weights.first, mlp.k, mlp.f, r * part, part),
        {weights.second.begin() + r * part * mlp.n, weights.second.begin() + (r + 1) * part * mlp.n}};
    graph::ValueId y = AppendMlp(graph, x, mine, rows_and_columns, ranks > 1 ? "partial" : rows);
    if (ranks > 1) y = AppendCollective(graph, y, rows, {kDynamic, mlp.n}, ranks, "all_reduce", "sum");
    if (mlp.reshaped) y = AppendReshape(graph, y);
    graph.outputs() = {y};
    TRY_ASSIGN(plan::RankPlan rank_plan, WriteRank(graph, r, ProfilesOf(mlp, 1), directory));
    plan.ranks.push_back(std::move(rank_plan));
  }
  return plan;
}

Result<void> CompletePlan(plan::Plan plan, const std::filesystem::path& directory) {
  for (plan::RankPlan& rank : plan.ranks) {
    TRY_ASSIGN(rank.model.sha256, Sha256OfFile(directory / rank.model.file));
    rank.model.bytes = ByteCount(std::filesystem::file_size(directory / rank.model.file));
    rank.weights.clear();
  }
  for (plan::TensorPlan* tensor : {&plan.inputs.front(), &plan.outputs.front()}) {
    if (tensor->spec.shape.front() == kDynamic) tensor->dim_names.front() = "m";
  }
  return plan::WritePlan(plan, directory);
}

std::vector<double> MlpRow(const Mlp& mlp, const uint16_t* x) {
  auto times = [](const std::vector<double>& row, const std::vector<uint16_t>& matrix, int64_t columns) {
    std::vector<double> product(static_cast<size_t>(columns), 0);
    const uint16_t* at = matrix.data();
    for (const double factor : row) {
      for (double& sum : product) sum += factor * static_cast<double>(FromHalf(*at++));
    }
    return product;
  };
  const MlpWeights weights = WeightsOf(mlp);
  std::vector<double> row;
  for (int64_t i = 0; i < mlp.k; ++i) row.push_back(static_cast<double>(FromHalf(x[i])));
  row = times(row, weights.first, mlp.f);
  for (double& value : row) value = std::max(value, 0.0);
  return times(row, weights.second, mlp.n);
}

Result<void> WriteRowSplitMlp(const Mlp& mlp, int ranks, const std::filesystem::path& directory) {
  graph::Graph graph = NewGraph("row_split_mlp");
  const graph::ValueId x = AppendInput(graph, mlp);
  const graph::ValueId part =
      AppendCollective(graph, x, "part", {kDynamic, mlp.k}, ranks, "reduce_scatter", "max");
  const graph::ValueId rows = AppendMlp(graph, part, mlp, WeightsOf(mlp), "rows");
  graph.outputs() = {AppendCollective(graph, rows, "y", {kDynamic, mlp.n}, ranks, "all_gather", "none")};
  return WriteEngine(graph, 0, ProfilesOf(mlp, ranks), directory / "model.onnx", directory / "model.plan");
}

Result<plan::Plan> WriteFirstRow(int64_t rows, int64_t columns, int ranks,
                                 const std::filesystem::path& directory) {
  plan::Plan plan = NewPlan("first_row", ranks);
  plan.inputs = {Replicated("x", DType::kFloat32, {rows, columns})};
  plan.outputs = {Replicated("y", DType::kFloat32, {1, columns})};
  for (int r = 0; r < ranks; ++r) {
    graph::Graph graph = NewGraph("first_row");
    const graph::ValueId x = graph.AddValue("x", DType::kFloat32, {rows, columns});
    graph.value(x).has_shape = true;
    graph.inputs() = {x};
    const graph::ValueId starts = graph.AddConstant("starts", graph::Constant::OfInt64({0}, {1}));
    const graph::ValueId ends = graph.AddConstant("ends", graph::Constant::OfInt64({1}, {1}));
    graph.outputs() = {Append(graph, "Slice", {x, starts, ends}, "y", DType::kFloat32, {1, columns})};
    TRY_ASSIGN(plan::RankPlan rank_plan, WriteRank(graph, r, OneProfile({}), directory));
    plan.ranks.push_back(std::move(rank_plan));
  }
  return plan;
}

}  // namespace tessera::gputest
