#include "tessera/shard/check_labels.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <set>

namespace tessera::shard {
namespace {

using graph::Graph;
using graph::Node;
using graph::Value;

class Op {
 public:
  Op(const Graph& model, const Node& node) : model_(model), node_(node) {
    for (const auto id : node.inputs)
      all_shaped_ = all_shaped_ && (id == graph::kNoValue || model.value(id).has_shape);
  }

  const Node& node() const { return node_; }
  int64_t opset() const { return model_.opset(); }
  size_t inputs() const { return node_.inputs.size(); }
  bool shaped() const { return all_shaped_; }
  const Value* in(size_t i) const {
    return i < inputs() && node_.inputs[i] != graph::kNoValue ? &model_.value(node_.inputs[i]) : nullptr;
  }
  const Value* out(size_t i) const {
    return node_.outputs.size() > i && node_.outputs[i] != graph::kNoValue ? &model_.value(node_.outputs[i])
                                                                           : nullptr;
  }
  size_t rank(size_t i = 0) const { return in(i) == nullptr ? 0 : in(i)->shape.size(); }
  std::optional<std::vector<int64_t>> constant(size_t i) const {
    return in(i) == nullptr || !in(i)->constant ? std::nullopt : graph::AsInt64(*in(i)->constant);
  }
  size_t axis(int64_t otherwise) const {
    const int64_t a = node_.Int("axis", otherwise);
    return static_cast<size_t>(a < 0 ? a + static_cast<int64_t>(rank()) : a);
  }

 private:
  const Graph& model_;
  const Node& node_;
  bool all_shaped_ = true;
};

bool Same(const Value& a, size_t da, const Value& b, size_t db) {
  if (a.shape[da] != kDynamic || b.shape[db] != kDynamic) return a.shape[da] == b.shape[db];
  return da < a.symbols.size() && db < b.symbols.size() && a.symbols[da] >= 0 &&
         a.symbols[da] == b.symbols[db];
}

// "abc.." for so many dimensions.
std::string Fresh(size_t rank, char first = 'a') {
  std::string text(rank, first);
  std::iota(text.begin(), text.end(), first);
  return text;
}

std::string Whole(std::string text, const std::set<size_t>& dims) {
  for (const size_t d : dims) {
    if (d < text.size()) text[d] = '.';
  }
  return text;
}

// The letters of `out` for an operand that broadcasts to it; '.' where its size is not the output's.
std::string Aligned(const Value& operand, const Value& out, const std::string& letters) {
  std::string text;
  if (operand.shape.size() > out.shape.size()) return text;
  const size_t skip = out.shape.size() - operand.shape.size();
  for (size_t d = 0; d < operand.shape.size(); ++d)
    text += Same(operand, d, out, d + skip) ? letters[d + skip] : '.';
  return text;
}

using Maker = std::function<std::optional<Labels>(const Op&)>;

std::optional<Labels> Elementwise(const Op& op) {
  if (!op.shaped() || op.out(0) == nullptr || !op.out(0)->has_shape || op.node().outputs.size() != 1)
    return std::nullopt;
  Labels labels;
  labels.outputs = {Fresh(op.out(0)->shape.size())};
  for (size_t i = 0; i < op.inputs(); ++i)
    labels.inputs.push_back(op.in(i) == nullptr ? "" : Aligned(*op.in(i), *op.out(0), labels.outputs[0]));
  return labels;
}

Maker LinearIn(std::vector<std::vector<int>> sets) {
  return [sets = std::move(sets)](const Op& op) {
    auto labels = Elementwise(op);
    if (labels) labels->linear = sets;
    return labels;
  };
}

// The first output is like the first input with some dimensions whole; other operands are whole.
std::optional<Labels> Like(const Op& op, const std::set<size_t>& whole) {
  if (op.in(0) == nullptr || !op.in(0)->has_shape) return std::nullopt;
  const std::string text = Whole(Fresh(op.rank()), whole);
  Labels labels;
  labels.inputs = {text};
  labels.outputs = {text};
  return labels;
}

std::set<size_t> Range(size_t from, size_t to) {
  std::set<size_t> dims;
  for (; from < to; ++from) dims.insert(from);
  return dims;
}

std::optional<Labels> MatMul(const Op& op, size_t b_input = 1) {
  if (!op.shaped() || op.in(0) == nullptr || op.in(b_input) == nullptr || op.out(0) == nullptr)
    return std::nullopt;
  const Value& a = *op.in(0);
  const Value& b = *op.in(b_input);
  const bool row = a.shape.size() == 1;
  const bool column = b.shape.size() == 1;
  Labels labels;
  const size_t batch = op.out(0)->shape.size() - (row ? 0 : 1) - (column ? 0 : 1);
  const std::string letters = Fresh(batch);
  labels.outputs = {letters + (row ? "" : "M") + (column ? "" : "N")};
  const auto batched = [&](const Value& v, size_t core) {
    std::string text;
    const size_t own = v.shape.size() - core;
    for (size_t d = 0; d < own; ++d) {
      const size_t o = d + batch - own;
      text += Same(v, d, *op.out(0), o) ? letters[o] : '.';
    }
    return text;
  };
  labels.inputs.assign(op.inputs(), "");
  labels.inputs[0] = row ? "K" : batched(a, 2) + "MK";
  labels.inputs[b_input] = column ? "K" : batched(b, 2) + "KN";
  labels.summed = "K";
  labels.linear = {{0}, {static_cast<int>(b_input)}};
  return labels;
}

std::optional<Labels> Gemm(const Op& op) {
  Labels labels;
  labels.inputs = {op.node().Int("transA", 0) != 0 ? "KM" : "MK",
                   op.node().Int("transB", 0) != 0 ? "NK" : "KN"};
  labels.outputs = {"MN"};
  labels.summed = "K";
  labels.linear = {{0}, {1}};
  if (op.in(2) == nullptr) return labels;
  if (!op.in(2)->has_shape || op.out(0) == nullptr) return std::nullopt;
  labels.inputs.push_back(Aligned(*op.in(2), *op.out(0), "MN"));
  labels.addends = {2};
  return labels;
}

std::optional<Labels> Einsum(const Op& op) {
  std::string equation = op.node().String("equation", "");
  std::erase(equation, ' ');
  const size_t arrow = equation.find("->");
  if (arrow == std::string::npos || equation.find('.') != std::string::npos) return std::nullopt;
  Labels labels;
  labels.inputs.emplace_back();
  for (const char c : equation.substr(0, arrow)) {
    if (c == ',')
      labels.inputs.emplace_back();
    else
      labels.inputs.back() += c;
  }
  labels.outputs = {equation.substr(arrow + 2)};
  for (size_t i = 0; i < labels.inputs.size(); ++i) {
    labels.linear.push_back({static_cast<int>(i)});
    for (const char c : labels.inputs[i]) {
      if (labels.outputs[0].find(c) == std::string::npos) labels.summed += c;
    }
  }
  return labels;
}

std::optional<Labels> Transpose(const Op& op) {
  auto labels = Like(op, {});
  if (!labels) return labels;
  std::vector<int64_t> order = op.node().Ints("perm");
  labels->outputs = {""};
  for (size_t d = 0; d < op.rank(); ++d)
    labels->outputs[0] +=
        labels->inputs[0][order.empty() ? op.rank() - 1 - d : static_cast<size_t>(order[d])];
  labels->linear = {{0}};
  return labels;
}

// Sizes equal before and after pass.
std::optional<Labels> WhereSizesStay(const Op& op, bool linear) {
  auto labels = Like(op, {});
  if (!labels || op.out(0) == nullptr || !op.out(0)->has_shape) return std::nullopt;
  labels->outputs[0] = Fresh(op.out(0)->shape.size());
  labels->inputs[0] = Aligned(*op.in(0), *op.out(0), labels->outputs[0]);
  if (linear) labels->linear = {{0}};
  return labels;
}

// A repeated dimension has a letter that the output lacks.
std::optional<Labels> Tile(const Op& op) {
  auto labels = WhereSizesStay(op, true);
  for (size_t d = 0; labels && d < labels->inputs[0].size(); ++d) {
    if (labels->inputs[0][d] == '.') labels->inputs[0][d] = static_cast<char>('A' + d);
  }
  return labels;
}

// A size that stays says nothing here: what one pad adds another may take away.
std::optional<Labels> Pad(const Op& op) {
  const auto pads = op.in(1) != nullptr ? op.constant(1) : op.node().Ints("pads");
  if (!pads || op.in(3) != nullptr || pads->size() != 2 * op.rank()) return std::nullopt;
  std::set<size_t> padded;
  for (size_t d = 0; d < op.rank(); ++d) {
    if ((*pads)[d] != 0 || (*pads)[d + op.rank()] != 0) padded.insert(d);
  }
  return Like(op, padded);
}

std::optional<Labels> Joined(const Op& op, bool linear) {
  auto labels = Like(op, {});
  if (!labels) return labels;
  const std::string text = Whole(labels->inputs[0], {op.axis(0)});
  const bool concat = op.node().op_type == "Concat";
  labels->inputs.assign(concat ? op.inputs() : 1, text);
  labels->outputs.assign(concat ? 1 : op.node().outputs.size(), text);
  std::vector<int> all(labels->inputs.size());
  std::iota(all.begin(), all.end(), 0);
  if (linear) labels->linear = {all};
  return labels;
}

std::optional<Labels> Slice(const Op& op) {
  std::optional<std::vector<int64_t>> axes;
  if (op.opset() < 10)
    axes = op.node().Ints("axes");
  else if (op.in(3) != nullptr)
    axes = op.constant(3);
  if ((op.opset() >= 10 && op.in(3) == nullptr) || (op.opset() < 10 && axes->empty())) {
    // The first dimensions, as many as there are bounds; how many that is hardly ever matters.
    axes.emplace(op.rank());
    std::iota(axes->begin(), axes->end(), 0);
  }
  if (!axes) return std::nullopt;
  std::set<size_t> whole;
  for (const int64_t a : *axes)
    whole.insert(static_cast<size_t>(a < 0 ? a + static_cast<int64_t>(op.rank()) : a));
  auto labels = Like(op, whole);
  if (labels) labels->linear = {{0}};
  return labels;
}

std::optional<Labels> Gather(const Op& op) {
  if (!op.shaped()) return std::nullopt;
  const size_t axis = op.axis(0);
  const std::string data = Fresh(op.rank(0));
  const std::string indices = Fresh(op.rank(1), 'A');
  Labels labels;
  labels.inputs = {Whole(data, {axis}), indices};
  labels.outputs = {data.substr(0, axis) + indices + data.substr(axis + 1)};
  labels.linear = {{0}};
  return labels;
}

std::optional<Labels> GatherElements(const Op& op) {
  if (!op.shaped()) return std::nullopt;
  const std::string letters = Whole(Fresh(op.rank(1)), {op.axis(0)});
  Labels labels;
  labels.inputs = {Whole(Aligned(*op.in(0), *op.in(1), letters), {}), letters};
  labels.outputs = {letters};
  // A dimension of which the indices take a part only cannot be cut.
  for (size_t d = 0; d < letters.size(); ++d) {
    if (labels.inputs[0][d] == '.' && d != op.axis(0))
      labels.inputs[1][d] = labels.outputs[0][d] = static_cast<char>('A' + d);
  }
  return labels;
}

std::optional<Labels> GatherNd(const Op& op) {
  if (!op.shaped() || op.rank(1) == 0 || op.in(1)->shape.back() == kDynamic) return std::nullopt;
  const auto batch = static_cast<size_t>(op.node().Int("batch_dims", 0));
  const size_t looked = batch + static_cast<size_t>(op.in(1)->shape.back());
  if (looked > op.rank(0)) return std::nullopt;
  const std::string data = Fresh(op.rank(0));
  const std::string indices = data.substr(0, batch) + Fresh(op.rank(1) - 1 - batch, 'A');
  Labels labels;
  labels.inputs = {Whole(data, Range(batch, looked)), indices + "."};
  labels.outputs = {indices + data.substr(looked)};
  return labels;
}

std::optional<Labels> Normalized(const Op& op) {
  const bool from = op.node().op_type.find("Normalization") != std::string::npos || op.opset() < 13;
  const size_t axis =
      op.axis(from && op.opset() < 13 && op.node().op_type.find("Norm") == std::string::npos ? 1 : -1);
  auto labels = Like(op, from ? Range(axis, op.rank()) : std::set<size_t>{axis});
  for (size_t i = 1; labels && i < op.node().outputs.size(); ++i)
    labels->outputs.push_back(labels->outputs[0]);
  return labels;
}

Maker Reduced(std::string Labels::*kind, bool linear) {
  return [=](const Op& op) -> std::optional<Labels> {
    std::optional<std::vector<int64_t>> axes = op.node().Ints("axes");
    if (op.in(1) != nullptr) axes = op.constant(1);
    auto labels = Like(op, {});
    if (!labels || !axes) return std::nullopt;
    if (axes->empty() && op.node().Int("noop_with_empty_axes", 0) != 0) return labels;
    std::set<size_t> gone = axes->empty() ? Range(0, op.rank()) : std::set<size_t>{};
    for (const int64_t a : *axes)
      gone.insert(static_cast<size_t>(a < 0 ? a + static_cast<int64_t>(op.rank()) : a));
    labels->outputs[0].clear();
    for (size_t d = 0; d < op.rank(); ++d) {
      if (!gone.contains(d))
        labels->outputs[0] += labels->inputs[0][d];
      else if (op.node().Int("keepdims", 1) != 0)
        labels->outputs[0] += '.';
      if (gone.contains(d) && kind != nullptr) (*labels).*kind += labels->inputs[0][d];
    }
    if (kind == nullptr) labels->inputs[0] = Whole(labels->inputs[0], gone);
    if (linear) labels->linear = {{0}};
    return labels;
  };
}

std::optional<Labels> AlongOneAxis(const Op& op) {
  int64_t otherwise = op.node().op_type == "TopK" ? -1 : 0;
  size_t axis = op.axis(otherwise);
  if (op.node().op_type == "CumSum") {
    const auto told = op.constant(1);
    if (!told || told->size() != 1) return std::nullopt;
    axis = static_cast<size_t>((*told)[0] < 0 ? (*told)[0] + static_cast<int64_t>(op.rank()) : (*told)[0]);
  }
  auto labels = Like(op, {axis});
  if (!labels) return labels;
  if (op.node().op_type.starts_with("Arg") && op.node().Int("keepdims", 1) == 0)
    labels->outputs[0].erase(axis, 1);
  labels->outputs.resize(op.node().outputs.size(), labels->outputs[0]);
  return labels;
}

std::optional<Labels> Convolution(const Op& op) {
  if (!op.shaped() || op.rank() < 3) return std::nullopt;
  const int64_t groups = op.node().Int("group", 1);
  const bool transposed = op.node().op_type == "ConvTranspose";
  const std::string window(op.rank() - 2, '.');
  Labels labels;
  if (groups == 1) {
    labels.inputs = {"nc" + window, (transposed ? "co" : "oc") + window};
    labels.outputs = {"no" + window};
    labels.summed = "c";
    labels.linear = {{0}, {1}};
    labels.addends = {2};
    if (op.in(2) != nullptr) labels.inputs.emplace_back("o");
    return labels;
  }
  labels.inputs = {"ng" + window, "g." + window, "g"};
  labels.outputs = {"ng" + window};
  labels.even = "g";
  labels.units = groups;
  labels.divided = {"group"};
  return labels;
}

// Batch and channels pass, the rest is whole; per-channel operands have the channel.
std::optional<Labels> PerImage(const Op& op) {
  if (op.in(0) == nullptr || op.rank() < 2 || op.out(1) != nullptr) return std::nullopt;
  auto labels = Like(op, Range(2, op.rank()));
  for (size_t i = 1; i < op.inputs(); ++i) labels->inputs.emplace_back(op.rank(i) == 1 ? "b" : "");
  return labels;
}

std::optional<Labels> BatchNormalization(const Op& op) {
  auto labels = PerImage(op);
  if (labels && op.node().Int("training_mode", 0) == 0)
    labels->inputs[0] = labels->outputs[0] = Fresh(op.rank());
  if (labels && op.node().Int("training_mode", 0) != 0) return std::nullopt;
  return labels;
}

std::optional<Labels> GroupNormalization(const Op& op) {
  auto labels = PerImage(op);
  if (!labels) return labels;
  labels->even = "b";
  labels->units = op.node().Int("num_groups", 0);
  labels->divided = {"num_groups"};
  return labels;
}

// The block's places are the major part of the depth but in mode CRD, where the channel is: only then a plain
// cut of the one is one of the other.
std::optional<Labels> DepthToSpace(const Op& op) {
  const bool crd = op.node().String("mode", "DCR") == "CRD";
  const int64_t block = op.node().Int("blocksize", 1);
  if (op.in(0) == nullptr || !op.in(0)->has_shape || op.rank() != 4) return std::nullopt;
  Labels labels;
  labels.inputs = {crd ? "nc.." : "n..."};
  labels.outputs = {crd ? "nc.." : "n..."};
  labels.even = "c";
  labels.units = op.in(0)->shape[1] == kDynamic ? 0 : op.in(0)->shape[1] / (block * block);
  return labels;
}

// The same the other way round; the depth's size is the input's times the block's.
std::optional<Labels> SpaceToDepth(const Op& op) {
  const bool crd = op.node().String("mode", "DCR") == "CRD";
  if (op.in(0) == nullptr || !op.in(0)->has_shape || op.rank() != 4) return std::nullopt;
  Labels labels;
  labels.inputs = {crd ? "nc.." : "n..."};
  labels.outputs = labels.inputs;
  labels.even = "c";
  labels.units = op.in(0)->shape[1] == kDynamic ? 0 : op.in(0)->shape[1];
  return labels;
}

std::optional<Labels> Quantized(const Op& op) {
  if (!op.shaped()) return std::nullopt;
  auto labels = Like(op, {});
  if (!labels) return labels;
  const size_t axis = op.axis(1);
  if (op.node().Int("block_size", 0) > 0) {
    // A scale for each block: whole blocks go with their scales.
    if (axis >= op.rank() || op.in(1) == nullptr || op.in(1)->shape[axis] == kDynamic) return std::nullopt;
    labels->inputs.resize(op.inputs(), labels->inputs[0]);
    labels->even = std::string{labels->inputs[0][axis]};
    labels->units = op.in(1)->shape[axis];
    return labels;
  }
  for (size_t i = 1; i < op.inputs(); ++i) {
    const bool per_axis = op.rank(i) == 1 && op.in(i)->shape[0] != 1;
    labels->inputs.emplace_back(per_axis && axis < op.rank() ? std::string{labels->inputs[0][axis]} : "");
  }
  return labels;
}

std::optional<Labels> MatMulInteger(const Op& op) {
  auto labels = MatMul(op);
  if (!labels) return labels;
  labels->linear.clear();
  const auto zero = [&](size_t i, const char* letter) {
    return op.rank(i) == 1 && op.in(i)->shape[0] != 1 ? letter : "";
  };
  labels->inputs.resize(op.inputs());
  for (size_t i = 2; i < op.inputs(); ++i) labels->inputs[i] = zero(i, i == 2 ? "M" : "N");
  return labels;
}

std::optional<Labels> QLinearMatMul(const Op& op) {
  auto labels = MatMul(op, 3);
  if (!labels) return labels;
  labels->linear.clear();
  labels->summed.clear();
  const auto per = [&](size_t i, const char* letter) {
    if (op.rank(i) == 1 && op.in(i)->shape[0] != 1) labels->inputs[i] = letter;
  };
  per(1, "M"), per(2, "M"), per(4, "N"), per(5, "N");
  for (std::string& text : labels->inputs) std::replace(text.begin(), text.end(), 'K', '.');
  return labels;
}

std::optional<Labels> Recurrent(const Op& op) {
  const bool first = op.node().Int("layout", 0) != 0;
  const std::string at = first ? "b.." : ".b.";
  Labels labels;
  labels.inputs = {at, "", "", "", "b", at, at};
  labels.outputs = {first ? "b..." : "..b.", at, at};
  return labels;
}

// Heads are cut where keys and values have them too; the queries' sequence where no mask counts places.
std::optional<Labels> Attention(const Op& op) {
  if (!op.shaped() || op.in(0) == nullptr || op.in(1) == nullptr) return std::nullopt;
  const bool flat = op.rank() == 3;
  const int64_t q_heads = flat ? op.node().Int("q_num_heads", 0) : op.in(0)->shape[1];
  const int64_t kv_heads = flat ? op.node().Int("kv_num_heads", 0) : op.in(1)->shape[1];
  if (q_heads <= 0 || kv_heads <= 0) return std::nullopt;
  const std::string q = op.node().Int("is_causal", 0) != 0 ? "." : "q";
  Labels labels;
  labels.even = "h";
  labels.units = std::gcd(q_heads, kv_heads);
  const std::string query = flat ? "b" + q + "h" : "bh" + q + ".";
  const std::string key = flat ? "b.h" : "bh..";
  labels.inputs = {query, key, key};
  labels.inputs.resize(op.inputs());
  if (op.in(3) != nullptr) {
    const std::string all = "bh" + q + ".";
    const size_t rank = op.rank(3);
    for (size_t d = 0; d < rank; ++d) labels.inputs[3] += op.in(3)->shape[d] == 1 ? '.' : all[4 - rank + d];
  }
  for (size_t i = 4; i < std::min<size_t>(6, op.inputs()); ++i) labels.inputs[i] = "bh..";
  labels.outputs = {query, "bh..", "bh..", "bh" + q + "."};
  if (flat) labels.divided = {"q_num_heads", "kv_num_heads"};
  return labels;
}

std::optional<Labels> Rotary(const Op& op) {
  if (!op.shaped()) return std::nullopt;
  const bool flat = op.rank() == 3;
  Labels labels;
  const std::string x = flat ? "bsh" : "bhs.";
  const std::string cache = op.in(3) != nullptr ? "" : "bs.";
  labels.inputs = {x, cache, cache, "bs"};
  labels.outputs = {x};
  labels.even = "h";
  labels.units = flat ? op.node().Int("num_heads", 0) : op.in(0)->shape[1];
  if (flat) labels.divided = {"num_heads"};
  return labels;
}

std::map<std::string, Maker, std::less<>> MakeTable() {
  std::map<std::string, Maker, std::less<>> table;
  for (const char* name : {"Abs",
                           "Acos",
                           "Acosh",
                           "Asin",
                           "Asinh",
                           "Atan",
                           "Atanh",
                           "BitwiseNot",
                           "Cast",
                           "CastLike",
                           "Ceil",
                           "Celu",
                           "Cos",
                           "Cosh",
                           "Elu",
                           "Erf",
                           "Exp",
                           "Floor",
                           "Gelu",
                           "HardSigmoid",
                           "HardSwish",
                           "IsInf",
                           "IsNaN",
                           "LeakyRelu",
                           "Log",
                           "Mish",
                           "Not",
                           "Reciprocal",
                           "Relu",
                           "Round",
                           "Selu",
                           "Shrink",
                           "Sigmoid",
                           "Sign",
                           "Sin",
                           "Sinh",
                           "Softplus",
                           "Softsign",
                           "Sqrt",
                           "Swish",
                           "Tan",
                           "Tanh",
                           "ThresholdedRelu",
                           "And",
                           "BitShift",
                           "BitwiseAnd",
                           "BitwiseOr",
                           "BitwiseXor",
                           "Equal",
                           "Greater",
                           "GreaterOrEqual",
                           "Less",
                           "LessOrEqual",
                           "Max",
                           "Mean",
                           "Min",
                           "Mod",
                           "Or",
                           "Pow",
                           "PRelu",
                           "Xor",
                           "Clip"})
    table[name] = Elementwise;
  table["Identity"] = table["Neg"] = LinearIn({{0}});
  table["Add"] = table["Sub"] = LinearIn({{0, 1}});
  table["Mul"] = LinearIn({{0}, {1}});
  table["Where"] = LinearIn({{1, 2}});
  table["Div"] = [](const Op& op) {
    const Value* a = op.in(0);
    return LinearIn(a != nullptr && IsFloat(a->type) ? std::vector<std::vector<int>>{{0}}
                                                     : std::vector<std::vector<int>>{})(op);
  };
  table["Sum"] = [](const Op& op) {
    std::vector<int> all(op.inputs());
    std::iota(all.begin(), all.end(), 0);
    return LinearIn({all})(op);
  };
  table["MatMul"] = [](const Op& op) { return MatMul(op); };
  table["Gemm"] = Gemm;
  table["Einsum"] = Einsum;
  table["Transpose"] = Transpose;
  table["Expand"] = [](const Op& op) { return WhereSizesStay(op, true); };
  table["Tile"] = Tile;
  table["Resize"] = [](const Op& op) { return WhereSizesStay(op, false); };
  table["Pad"] = Pad;
  table["Concat"] = table["Split"] = [](const Op& op) { return Joined(op, true); };
  table["Slice"] = Slice;
  table["Gather"] = Gather;
  table["GatherElements"] = GatherElements;
  table["GatherND"] = GatherNd;
  for (const char* name : {"Softmax", "LogSoftmax", "Hardmax", "LayerNormalization", "RMSNormalization"})
    table[name] = Normalized;
  table["ReduceSum"] = Reduced(&Labels::summed, true);
  table["ReduceMean"] = [](const Op& op) {
    const bool exact =
        op.in(0) != nullptr && IsFloat(op.in(0)->type);  // integers are rounded before they are averaged
    return exact ? Reduced(&Labels::averaged, true)(op) : Reduced(nullptr, false)(op);
  };
  table["ReduceMax"] = Reduced(&Labels::maximal, false);
  table["ReduceMin"] = Reduced(&Labels::minimal, false);
  for (const char* name :
       {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceProd", "ReduceSumSquare"})
    table[name] = Reduced(nullptr, false);
  for (const char* name : {"ArgMax", "ArgMin", "CumSum", "TopK"}) table[name] = AlongOneAxis;
  table["Conv"] = table["ConvTranspose"] = Convolution;
  for (const char* name : {"MaxPool", "AveragePool", "LpPool", "GlobalAveragePool", "GlobalMaxPool",
                           "GlobalLpPool", "InstanceNormalization"})
    table[name] = PerImage;
  table["BatchNormalization"] = BatchNormalization;
  table["GroupNormalization"] = GroupNormalization;
  table["DepthToSpace"] = DepthToSpace;
  table["SpaceToDepth"] = SpaceToDepth;
  table["QuantizeLinear"] = table["DequantizeLinear"] = Quantized;
  table["MatMulInteger"] = MatMulInteger;
  table["QLinearMatMul"] = QLinearMatMul;
  table["LSTM"] = table["GRU"] = table["RNN"] = Recurrent;
  table["Attention"] = Attention;
  table["RotaryEmbedding"] = Rotary;
  return table;
}

}  // namespace

std::optional<Labels> LabelsOf(const Graph& model, const Node& node) {
  static const auto table = MakeTable();
  if (!node.domain.empty() && node.domain != "ai.onnx") return std::nullopt;
  const auto found = table.find(node.op_type);
  return found == table.end() ? std::nullopt : found->second(Op(model, node));
}

}  // namespace tessera::shard
