#include "tests/gpu/models.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tessera/base/sha256.h"
#include "tests/gpu/graphs.h"

namespace tessera::gputest {
namespace {

// Columns [from, from + count) of a row-major [rows, columns] matrix.
std::vector<uint16_t> Columns(const std::vector<uint16_t>& all, int64_t rows, int64_t columns, int64_t from,
                              int64_t count) {
  std::vector<uint16_t> part(static_cast<size_t>(rows * count));
  for (int64_t r = 0; r < rows; ++r) {
    std::memcpy(part.data() + r * count, all.data() + r * columns + from, static_cast<size_t>(count) * 2);
  }
  return part;
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

graph::ValueId AppendMlp(graph::Graph& graph, graph::ValueId x, const Mlp& mlp, const MlpWeights& weights,
                         const char* name) {
  const graph::Constant first = HalfConstant(weights.first, {mlp.k, mlp.f});
  const graph::Constant second = HalfConstant(weights.second, {mlp.f, mlp.n});
  for (int i = mlp.more_weights; i >= 0; --i) {
    auto numbered = [i](const char* base) {
      return i == 0 ? std::string(base) : fmt::format("{}.{}", base, i);
    };
    const graph::ValueId w1 = graph.AddConstant(numbered("w1"), first);
    const graph::ValueId w2 = graph.AddConstant(numbered("w2"), second);
    const Shape hidden = {kDynamic, mlp.f};
    const graph::ValueId h = Append(graph, "MatMul", {x, w1}, numbered("h").c_str(), DType::kFloat16, hidden);
    const graph::ValueId a = Append(graph, "Relu", {h}, numbered("a").c_str(), DType::kFloat16, hidden);
    x = Append(graph, "MatMul", {a, w2}, numbered(name).c_str(), DType::kFloat16, {kDynamic, mlp.n});
  }
  return x;
}

standin::Profile ProfileOf(const Mlp& mlp, int64_t least_m, int64_t best_m, int64_t most_m) {
  standin::Profile profile = {{"x", {{least_m, mlp.k}, {best_m, mlp.k}, {most_m, mlp.k}}}};
  if (mlp.picked) profile["keep"] = {{least_m}, {best_m}, {most_m}};
  return profile;
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
  const graph::ValueId sizes = AddInput(graph, "s", DType::kInt64, {3});
  return Append(graph, "Reshape", {rows, sizes}, "y", DType::kFloat16, {kDynamic, kDynamic, kDynamic});
}

graph::ValueId AppendPick(graph::Graph& graph, graph::ValueId rows, const Mlp& mlp) {
  const graph::ValueId keep = AddInput(graph, "keep", DType::kBool, {kDynamic});
  const graph::ValueId y = Append(graph, "Compress", {rows, keep}, "y", DType::kFloat16, {kDynamic, mlp.n});
  graph.node(graph.value(y).producer).Set("axis", int64_t{0});
  return y;
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

Result<plan::Plan> WriteMlp(const Mlp& mlp, int ranks, const std::filesystem::path& directory) {
  const MlpWeights weights = WeightsOf(mlp);
  plan::Plan plan = NewPlan("mlp", ranks);
  plan.inputs = {Replicated("x", DType::kFloat16, {kDynamic, mlp.k})};
  plan.outputs = {Replicated("y", DType::kFloat16, {kDynamic, mlp.n})};
  if (mlp.reshaped) {
    plan.inputs.push_back(Replicated("s", DType::kInt64, {3}));
    plan.outputs = {Replicated("y", DType::kFloat16, {kDynamic, kDynamic, kDynamic})};
  }
  if (mlp.picked) plan.inputs.push_back(Replicated("keep", DType::kBool, {kDynamic}));
  const char* const rows = mlp.reshaped || mlp.picked ? "rows" : "y";
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
    const graph::ValueId x = AddInput(graph, "x", DType::kFloat16, {kDynamic, mlp.k});
    Mlp mine = mlp;
    mine.f = part;
    const MlpWeights rows_and_columns{
        Columns(weights.first, mlp.k, mlp.f, r * part, part),
        {weights.second.begin() + r * part * mlp.n, weights.second.begin() + (r + 1) * part * mlp.n}};
    graph::ValueId y = AppendMlp(graph, x, mine, rows_and_columns, ranks > 1 ? "partial" : rows);
    if (ranks > 1) y = AppendCollective(graph, y, rows, {kDynamic, mlp.n}, ranks, "all_reduce", "sum");
    if (mlp.reshaped) y = AppendReshape(graph, y);
    if (mlp.picked) y = AppendPick(graph, y, mlp);
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
  const graph::ValueId x = AddInput(graph, "x", DType::kFloat16, {kDynamic, mlp.k});
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
  standin::PlanFile one_profile;
  one_profile.profiles.emplace_back();
  for (int r = 0; r < ranks; ++r) {
    graph::Graph graph = NewGraph("first_row");
    const graph::ValueId x = AddInput(graph, "x", DType::kFloat32, {rows, columns});
    const graph::ValueId starts = graph.AddConstant("starts", graph::Constant::OfInt64({0}, {1}));
    const graph::ValueId ends = graph.AddConstant("ends", graph::Constant::OfInt64({1}, {1}));
    graph.outputs() = {Append(graph, "Slice", {x, starts, ends}, "y", DType::kFloat32, {1, columns})};
    TRY_ASSIGN(plan::RankPlan rank_plan, WriteRank(graph, r, one_profile, directory));
    plan.ranks.push_back(std::move(rank_plan));
  }
  return plan;
}

}  // namespace tessera::gputest
