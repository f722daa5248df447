#include "tessera/shard/check_held.h"

#include <algorithm>

#include "tessera/plan/dist_collective.h"

namespace tessera::shard {
namespace {

using graph::Node;
using graph::ValueId;
using Integers = std::vector<int64_t>;

// Where each rank's elements lie, by segments: written apart from Cut::Indices, which it checks.
std::vector<Integers> ElementsOfRanks(const Cut& cut, int64_t size, int parts) {
  if (cut.copies() < 1 || parts % cut.copies() != 0) return {};
  const int pieces = parts / cut.copies();
  std::vector<Integers> different(static_cast<size_t>(pieces));
  std::vector<Run> runs = cut.runs();
  if (runs.empty()) runs = {{size, 1}};
  int64_t at = 0;
  for (const Run& run : runs) {
    for (int64_t i = 0; i < run.count && run.size % pieces == 0; ++i) {
      for (Integers& piece : different) {
        for (int64_t j = 0; j < run.size / pieces; ++j) piece.push_back(at++);
      }
    }
  }
  std::vector<Integers> ranks;
  for (const Integers& piece : different) ranks.insert(ranks.end(), static_cast<size_t>(cut.copies()), piece);
  return ranks;
}

// The cut by which the ranks hold these elements of a dimension of `size`; nullopt: none.
std::optional<Cut> CutOf(const std::vector<Integers>& held, int64_t size) {
  const auto other = std::ranges::find_if(held, [&](const Integers& rank) { return rank != held[0]; });
  const auto copies = other - held.begin();
  const auto parts = static_cast<int64_t>(held.size()) / copies;
  std::vector<Run> runs;
  const Integers& first = held[0];
  for (size_t i = 0; i < first.size();) {
    size_t end = i + 1;
    while (end < first.size() && first[end] == first[end - 1] + 1) ++end;
    runs.push_back({static_cast<int64_t>(end - i) * parts, 1});
    i = end;
  }
  const Cut cut = Cut::Of(runs, size).WithCopies(static_cast<int>(copies));
  if (ElementsOfRanks(cut, size, static_cast<int>(held.size())) != held) return std::nullopt;
  return cut;
}

class Conversion {
 public:
  Conversion(const graph::Graph& model, const RankModel& ranks, const HeldValues& held, const Node& node,
             std::string& why)
      : model_(model), ranks_(ranks), held_(held), node_(node), from_(held.at(node.inputs[0])), why_(why) {}

  std::optional<Held> Run() {
    if (node_.op_type == plan::dist_collective::kOpType) return Collective();
    if (node_.op_type == "Transpose") return Transposed();
    if (node_.op_type == "Gather") return Gathered();
    if (node_.op_type == "Slice") return Sliced();
    if (node_.op_type == "Concat" && node_.inputs.size() > 1) return Exchanged();
    if (node_.op_type == "Split") return Opaque();
    return Wrong("no conversion has this op");
  }

 private:
  std::nullopt_t Wrong(const char* why) const {
    why_ = why;
    return std::nullopt;
  }

  int64_t SizeOf(int axis) const { return model_.value(from_.of).shape[static_cast<size_t>(axis)]; }
  int Rank() const { return static_cast<int>(model_.value(from_.of).shape.size()); }

  std::optional<Held> Collective() const {
    const auto op = CollectiveOpFromName(node_.String(plan::dist_collective::kOperation, ""));
    const auto reduce = ReduceOpFromName(node_.String(plan::dist_collective::kReduceOp, ""));
    if (!op || !reduce) return Wrong("its operation is not known");
    Held to = from_;
    if (*op == CollectiveOp::kAllToAll) {
      to.kind = Held::Kind::kOpaque;
      return to;
    }
    if (from_.kind != Held::Kind::kState) return Wrong("what it sends is not known");
    const bool reduces = *op == CollectiveOp::kAllReduce || *op == CollectiveOp::kReduceScatter;
    if (reduces && (!from_.state.partial() || from_.state.reduce != *reduce))
      return Wrong("it reduces what is not partial in this way");
    if (*op == CollectiveOp::kAllReduce) {
      to.state = State::Replicated();
      return to;
    }
    if (*op == CollectiveOp::kReduceScatter) {
      to.state = State::Split(from_.front, from_.in_blocks ? from_.blocks : Cut());
      to.in_blocks = false;
      return to;
    }
    if (*op != CollectiveOp::kAllGather) return Wrong("no conversion needs this collective");
    if (!from_.state.split() || from_.state.axis != from_.front)
      return Wrong("it gathers along an axis that is not cut");
    to.state = State::Replicated();
    to.in_blocks = !from_.state.cut.plain();
    to.blocks = from_.state.cut;
    return to;
  }

  std::optional<Held> Transposed() const {
    const Integers order = node_.Ints("perm");
    Held to = from_;
    for (int axis = 1; axis < Rank(); ++axis) {
      Integers front{axis};
      Integers back;
      for (int d = 0; d < Rank(); ++d) {
        if (d != axis) front.push_back(d);
        back.push_back(d < axis ? d + 1 : (d == axis ? 0 : d));
      }
      if (from_.front == 0 && order == front) {
        to.front = axis;
        return to;
      }
      if (from_.front == axis && order == back) {
        to.front = 0;
        return to;
      }
    }
    return Wrong("its permutation brings no axis to the front, or back to where it was");
  }

  std::optional<Held> Gathered() const {
    const auto constant = ranks_.constants.find(node_.inputs[1]);
    const int64_t axis = node_.Int("axis", 0);
    if (constant == ranks_.constants.end()) return Wrong("its indices are no constant");
    if (held_.at(node_.inputs[1]).kind == Held::Kind::kPerRank)
      return Picked(constant->second, static_cast<int>(axis));
    const auto indices = SharedIntegers(ranks_, node_.inputs[1]);
    if (!indices || axis != 0) return Wrong("it orders no axis that stands in front");
    return from_.state.replicated() ? Ordered(*indices) : Blocked(*indices);
  }

  // Each rank picks its own elements of a whole value.
  std::optional<Held> Picked(const RankConstant& constant, int axis) const {
    std::vector<Integers> indices;
    for (const graph::Constant& c : constant.by_rank)
      indices.push_back(graph::AsInt64(c).value_or(Integers{}));
    if (axis < 0 || axis >= Rank() || SizeOf(axis) == kDynamic)
      return Wrong("the size of its axis is not known");
    if (!from_.Whole() && !OfTheirCopies(axis, indices))
      return Wrong("the ranks pick from what is not whole");
    const auto cut = CutOf(indices, SizeOf(axis));
    if (!cut) return Wrong("the ranks' indices are no cut of the axis");
    Held to = from_;
    to.state = State::Split(axis, *cut);
    return to;
  }

  // Places in copies that several ranks hold, made those of the whole axis.
  bool OfTheirCopies(int axis, std::vector<Integers>& places) const {
    if (!from_.Plainly() || !from_.state.split() || from_.state.axis != axis || from_.state.cut.copies() < 2)
      return false;
    const auto held = ElementsOfRanks(from_.state.cut, SizeOf(axis), ranks_.parts);
    if (held.size() != places.size()) return false;
    for (size_t rank = 0; rank < held.size(); ++rank) {
      for (int64_t& place : places[rank]) {
        if (place < 0 || place >= static_cast<int64_t>(held[rank].size())) return false;
        place = held[rank][static_cast<size_t>(place)];
      }
    }
    return true;
  }

  // Blocks back in the order of the elements.
  std::optional<Held> Ordered(const Integers& indices) const {
    if (!from_.in_blocks) return Wrong("there are no blocks to be put in order");
    const auto held = ElementsOfRanks(from_.blocks, SizeOf(from_.front), ranks_.parts);
    Integers blocks;
    for (const Integers& rank : held) blocks.insert(blocks.end(), rank.begin(), rank.end());
    if (blocks.size() != indices.size())
      return Wrong("it has another number of indices than the axis elements");
    for (size_t i = 0; i < blocks.size(); ++i) {
      if (indices[static_cast<size_t>(blocks[i])] != static_cast<int64_t>(i))
        return Wrong("its indices are another order");
    }
    Held to = from_;
    to.in_blocks = false;
    return to;
  }

  // Partial terms in the order of the blocks that will be scattered.
  std::optional<Held> Blocked(const Integers& indices) const {
    if (!from_.state.partial() || from_.in_blocks || indices.size() % static_cast<size_t>(ranks_.parts) != 0)
      return Wrong("it orders what is not to be scattered");
    std::vector<Integers> held;
    const auto piece = static_cast<std::ptrdiff_t>(indices.size()) / ranks_.parts;
    for (int rank = 0; rank < ranks_.parts; ++rank)
      held.emplace_back(indices.begin() + rank * piece, indices.begin() + (rank + 1) * piece);
    const auto cut = CutOf(held, SizeOf(from_.front));
    if (!cut) return Wrong("its indices are no cut of the axis");
    Held to = from_;
    to.in_blocks = true;
    to.blocks = *cut;
    return to;
  }

  std::optional<Held> Sliced() const {
    if (node_.inputs.size() != 4 || !from_.Whole()) return Wrong("it slices what is not whole");
    const auto axes = SharedIntegers(ranks_, node_.inputs[3]);
    if (!axes || axes->size() != 1 || (*axes)[0] < 0 || (*axes)[0] >= Rank())
      return Wrong("it has not one axis");
    const auto axis = static_cast<int>((*axes)[0]);
    if (!ConstantBounds(axis) && !ComputedBounds(axis))
      return Wrong("its bounds are not each rank's part of the axis");
    Held to = from_;
    to.state = State::Split(axis);
    return to;
  }

  bool ConstantBounds(int axis) const {
    const auto starts = ranks_.constants.find(node_.inputs[1]);
    const auto ends = ranks_.constants.find(node_.inputs[2]);
    if (starts == ranks_.constants.end() || ends == ranks_.constants.end() ||
        SizeOf(axis) % ranks_.parts != 0)
      return false;
    const int64_t piece = SizeOf(axis) / ranks_.parts;
    for (int rank = 0; rank < ranks_.parts; ++rank) {
      const Integers start = graph::AsInt64(OnRank(starts->second, rank, ranks_.parts)).value_or(Integers{});
      const Integers end = graph::AsInt64(OnRank(ends->second, rank, ranks_.parts)).value_or(Integers{});
      if (start != Integers{rank * piece} || end != Integers{(rank + 1) * piece}) return false;
    }
    return true;
  }

  const Node* Producer(ValueId id, const char* op, size_t inputs) const {
    const Node* node = MakerOf(ranks_, id);
    return node != nullptr && node->op_type == op && node->inputs.size() == inputs ? node : nullptr;
  }

  // start = size / N * rank and end = start + size / N, size being that of the axis of the sliced value.
  bool ComputedBounds(int axis) const {
    const Node* start = Producer(node_.inputs[1], "Mul", 2);
    const Node* end = Producer(node_.inputs[2], "Add", 2);
    if (start == nullptr || end == nullptr || end->inputs[0] != node_.inputs[1] ||
        end->inputs[1] != start->inputs[0])
      return false;
    const Node* piece = Producer(start->inputs[0], "Div", 2);
    if (piece == nullptr || SharedIntegers(ranks_, piece->inputs[1]) != Integers{ranks_.parts}) return false;
    const Node* size = Producer(piece->inputs[0], "Gather", 2);
    if (size == nullptr || size->Int("axis", 0) != 0 ||
        SharedIntegers(ranks_, size->inputs[1]) != Integers{axis})
      return false;
    const Node* shape = Producer(size->inputs[0], "Shape", 1);
    if (shape == nullptr || shape->inputs[0] != node_.inputs[0] || !shape->attributes.empty()) return false;
    const auto ranks = ranks_.constants.find(start->inputs[1]);
    if (ranks == ranks_.constants.end()) return false;
    for (int rank = 0; rank < ranks_.parts; ++rank) {
      if (graph::AsInt64(OnRank(ranks->second, rank, ranks_.parts)) != Integers{rank}) return false;
    }
    return true;
  }

  // `node` joins all outputs of one Split in their order; gives that Split.
  const Node* SplitBehind(const Node& concat) const {
    const Node* split = Producer(concat.inputs[0], "Split", 1);
    const bool even = split != nullptr && split->Find("split") == nullptr &&
                      split->outputs == concat.inputs &&
                      static_cast<int>(split->outputs.size()) == ranks_.parts;
    return even ? split : nullptr;
  }

  // The end of an all-to-all: blocks along one axis were sent, and are laid side by side along the other.
  std::optional<Held> Exchanged() const {
    if (!model_.value(from_.of).has_shape) return Wrong("the shape of its value is not known");
    const Node* pieces = SplitBehind(node_);
    if (pieces == nullptr) return Opaque();
    const Node* exchange = Producer(pieces->inputs[0], plan::dist_collective::kOpType, 1);
    if (exchange == nullptr) return Opaque();
    const Node* sent = Producer(exchange->inputs[0], "Concat", static_cast<size_t>(ranks_.parts));
    const Node* blocks = sent == nullptr ? nullptr : SplitBehind(*sent);
    if (blocks == nullptr || sent->Int("axis", 0) != 0 || pieces->Int("axis", 0) != 0)
      return Wrong("the blocks are not sent as they are received");
    const Held& source = held_.at(blocks->inputs[0]);
    const auto from = static_cast<int>(node_.Int("axis", 0));
    const auto to_axis = static_cast<int>(blocks->Int("axis", 0));
    if (!source.Plainly() || !(source.state == State::Split(from)) || from == to_axis || to_axis >= Rank())
      return Wrong("the value is not cut along the axis that is put together");
    if (SizeOf(to_axis) != kDynamic && SizeOf(to_axis) % ranks_.parts != 0)
      return Wrong("the blocks are not equal");
    Held to = source;
    to.state = State::Split(to_axis);
    return to;
  }

  std::optional<Held> Opaque() const { return Held{Held::Kind::kOpaque, {}, from_.of}; }

  const graph::Graph& model_;
  const RankModel& ranks_;
  const HeldValues& held_;
  const Node& node_;
  const Held& from_;
  std::string& why_;
};

}  // namespace

std::optional<Held> Converted(const graph::Graph& model, const RankModel& ranks, const HeldValues& held,
                              const Node& node, std::string& why) {
  return Conversion(model, ranks, held, node, why).Run();
}

std::optional<Integers> SharedIntegers(const RankModel& ranks, ValueId id) {
  const auto found = ranks.constants.find(id);
  if (found == ranks.constants.end()) return std::nullopt;
  std::optional<Integers> all;
  for (int rank = 0; rank < ranks.parts; ++rank) {
    if (rank > 0 && found->second.shared()) break;
    auto own = graph::AsInt64(OnRank(found->second, rank, ranks.parts));
    if (!own || (all && *all != *own)) return std::nullopt;
    all = std::move(own);
  }
  return all;
}

const Node* MakerOf(const RankModel& ranks, ValueId id) {
  const graph::NodeId producer = ranks.graph.value(id).producer;
  return producer == graph::kNoNode ? nullptr : &ranks.graph.node(producer);
}

const Node* MakerOf(const RankModel& ranks, ValueId id, const char* op, size_t inputs) {
  const Node* node = MakerOf(ranks, id);
  const bool fits =
      node != nullptr && node->op_type == op && node->domain.empty() && node->inputs.size() == inputs;
  return fits ? node : nullptr;
}

std::optional<EvenAxis> EvenAxisOf(const graph::Graph& model, const Node& node, int64_t otherwise,
                                   int parts) {
  const graph::Value& whole = model.value(node.inputs[0]);
  if (!whole.has_shape) return std::nullopt;
  EvenAxis along;
  along.rank = static_cast<int64_t>(whole.shape.size());
  along.axis = node.Int("axis", otherwise);
  if (along.axis < 0) along.axis += along.rank;
  if (along.axis < 0 || along.axis >= along.rank) return std::nullopt;
  along.size = whole.shape[static_cast<size_t>(along.axis)];
  return along.size > 0 && along.size % parts == 0 ? std::optional(along) : std::nullopt;
}

}  // namespace tessera::shard
