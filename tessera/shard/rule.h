// Sharding rules: how an op's dimensions hang together. A rule is data; one function of a node makes it.
//
// A dimension of an input or output is a product of factors, major first ("(h d)" = heads times head size).
// Cutting one factor cuts every dimension that has it; a factor that only inputs have is summed over, so
// cutting it leaves each rank with a term (Partial).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tessera/base/collective.h"
#include "tessera/graph/graph.h"
#include "tessera/shard/state.h"

namespace tessera::shard {

struct Factor {
  int64_t size = kDynamic;
  int32_t symbol = -1;  // of a dynamic size (graph::Value::symbols)
  // Cutting the factor leaves the outputs Partial(reduce); kNone = they are cut along with it.
  ReduceOp reduce = ReduceOp::kNone;
  bool whole = false;  // never cut
};

// One dimension: indices into Rule::factors, major first; empty = it cannot be cut.
using FactorDim = std::vector<int>;
using FactorShape = std::vector<FactorDim>;

// What must change in a rank's copy of a node when a factor is cut.
struct Edit {
  enum class Kind {
    kShapeOperand,     // input `input` lists the sizes of output 0's dimensions: divide the cut one
    kDivideOperand,    // every element of input `input` counts elements of `factor`: divide
    kDivideAttribute,  // attribute `attribute` (int or ints) counts elements of `factor`: divide. With
                       // kGroups: by the pieces of input `input`
  };
  Kind kind = Kind::kShapeOperand;
  int input = 0;
  int factor = 0;
  std::string attribute;
};

inline constexpr int kNoFactor = -1;
inline constexpr int kGroups = -2;      // in a Row and an Edit: both of Rule::grouped
inline constexpr int kJoinFactor = -1;  // in an Edit: the dimension of Rule::join
struct Join {
  int axis = 0;
  bool inputs_are_pieces = true;  // Concat: outputs[0] is the whole; Split: inputs[0] is
};

// A factor that the op looks along as a whole (for the largest, for a softmax) and that may be cut plainly
// all the same: the ranks exchange a little inside the node (see local_across.h).
struct Across {
  int factor = kNoFactor;
  int64_t least = 1;  // elements that every rank must have (TopK: k)
  CollectiveOp op = CollectiveOp::kAllReduce;
  int64_t sent = 1;  // to each of two collectives, for every line along the factor
  int passes = 0;    // ops over the rank's part, beside the op itself ..
  int ops = 0;       // .. and over what is sent
};

struct Rule {
  std::vector<Factor> factors;
  std::vector<FactorShape> inputs;   // one per node input; absent inputs are empty
  std::vector<FactorShape> outputs;  // one per node output
  // Sets of inputs in which the op is linear together: all Partial -> outputs Partial, the other inputs
  // replicated.
  std::vector<std::vector<int>> linear;
  // Inputs that join in when a summed factor is cut and that do not have it (a bias): they become Partial
  // too.
  std::vector<int> addends;
  // Inputs of which only the shape is read: any state will do.
  std::vector<int> shape_only;
  // Inputs whose constants count as weights: what tensor parallelism wants to split.
  std::vector<int> weights;
  // A dimension that is the pieces' dimensions one after the other (Concat, Split), piece by piece cut alike.
  std::optional<Join> join;
  // Factors (key heads, queries a key head): where there are fewer key heads than ranks, both are cut as one,
  // and what has key heads only is held in copies.
  std::optional<std::pair<int, int>> grouped;
  // The factor of the axis of input 0 in which input 1 tells places (Gather): cut plainly only. A rank looks
  // up what lies in its part and gives zeros for the rest (see local_lookup.h).
  int looked_up = kNoFactor;
  std::optional<Across> across;
  std::vector<Edit> edits;
  bool contraction =
      false;  // 2 flops for every element of output 0 times every summed factor; else it moves bytes
};

// A node with what its rule needs to see.
class OpView {
 public:
  OpView(const graph::Graph& graph, const graph::Node& node) : graph_(graph), node_(node) {}

  const graph::Node& node() const { return node_; }
  int inputs() const { return static_cast<int>(node_.inputs.size()); }
  int outputs() const { return static_cast<int>(node_.outputs.size()); }
  bool has_input(int i) const { return i < inputs() && At(node_.inputs, i) != graph::kNoValue; }
  const graph::Value& input(int i) const { return graph_.value(At(node_.inputs, i)); }
  const graph::Value& output(int i) const { return graph_.value(At(node_.outputs, i)); }
  int64_t opset() const { return graph_.opset(); }

  // The elements of a constant integer input; nullopt when it is not constant.
  std::optional<std::vector<int64_t>> Integers(int input) const;

  // An axis attribute made non-negative for a tensor of `rank` dimensions.
  int Axis(std::string_view attribute, int64_t otherwise, size_t rank) const;

 private:
  static graph::ValueId At(const std::vector<graph::ValueId>& ids, int i) {
    return ids[static_cast<size_t>(i)];
  }
  const graph::Graph& graph_;
  const graph::Node& node_;
};

// The symbol of a dimension, -1 if it has none.
int32_t SymbolOf(const graph::Value& value, size_t dim);

// Equal sizes for certain: the same number, or the same symbol.
bool SameSize(const graph::Value& a, size_t dim_a, const graph::Value& b, size_t dim_b);

// The rule of a node. An op without one (or whose shapes are not known) gets nullopt: it runs replicated,
// which is always right.
std::optional<Rule> RuleFor(const OpView& op);

// Whether a value is known before any request: a constant, or decoded from constants by a few ops as
// exporters store quantized weights (Cast and Mul by a scale, DequantizeLinear ..).
bool IsWeight(const graph::Graph& graph, graph::ValueId value);

// The bytes of the constants that a weight is, or is decoded from.
int64_t StoredBytes(const graph::Graph& graph, graph::ValueId weight);

// Whether all inputs of the node are weights and its output is one, too.
bool DecodesWeights(const graph::Graph& graph, const graph::Node& node);

// The inputs that the rule counts as weights and that are weights (IsWeight).
std::vector<size_t> ConstantWeights(const graph::Graph& graph, const graph::Node& node, const Rule& rule);

// Op types that have a rule, sorted: for reports and tests.
std::vector<std::string> OpsWithRules();

}  // namespace tessera::shard
