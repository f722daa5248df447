#include "tessera/shard/check_special.h"

namespace tessera::shard {
namespace {

using graph::Node;

bool Present(const std::vector<graph::ValueId>& ids, size_t i) {
  return i < ids.size() && ids[i] != graph::kNoValue;
}

class HeadCuts {
 public:
  HeadCuts(const graph::Graph& model, const Node& node, int parts)
      : model_(model), node_(node), parts_(parts) {
    flat_ = Input(0).size() == 3;
    heads_ = flat_ ? node.Int("q_num_heads", 0) : Input(0)[1];
    kv_heads_ = flat_ ? node.Int("kv_num_heads", 0) : Input(1)[1];
  }

  std::vector<SpecialCut> Cuts() const {
    std::vector<SpecialCut> cuts;
    if (heads_ <= 0 || kv_heads_ <= 0 || heads_ % kv_heads_ != 0) return cuts;
    if (auto members = Members()) cuts.push_back(*std::move(members));
    if (auto copies = Copies()) cuts.push_back(*std::move(copies));
    if (auto width = ValueWidth()) cuts.push_back(*std::move(width));
    return cuts;
  }

 private:
  const Shape& Input(size_t i) const { return model_.value(node_.inputs[i]).shape; }
  const Shape& Output() const { return model_.value(node_.outputs[0]).shape; }
  SpecialCut Whole() const {
    return {std::vector<State>(node_.inputs.size()), std::vector<State>(node_.outputs.size()), {}};
  }

  // A dimension that is `count` times `unit` elements, each unit cut.
  static std::optional<State> Units(int axis, int64_t unit, int64_t count, int parts) {
    if (unit <= 0 || unit % parts != 0) return std::nullopt;
    return State::Split(axis, Cut::Of({{unit, count}}, unit * count));
  }

  std::optional<SpecialCut> Members() const {
    const int64_t group = heads_ / kv_heads_;
    const bool masked = Present(node_.inputs, 3) && Input(3).size() == 4 && Input(3)[1] != 1;
    if (group % parts_ != 0 || masked || Present(node_.outputs, 3)) return std::nullopt;
    const int axis = flat_ ? 2 : 1;
    const auto place = static_cast<size_t>(axis);
    SpecialCut cut = Whole();
    const auto in = Units(axis, Input(0)[place] / kv_heads_, kv_heads_, parts_);
    const auto out = Units(axis, Output()[place] / kv_heads_, kv_heads_, parts_);
    if (!in || !out) return std::nullopt;
    cut.inputs[0] = *in;
    cut.outputs[0] = *out;
    if (flat_) cut.divided = {{"q_num_heads", parts_}};
    return cut;
  }

  // Each rank has a part of the query heads and the one key head that they share.
  std::optional<SpecialCut> Copies() const {
    if (kv_heads_ >= heads_ || kv_heads_ >= parts_ || parts_ % kv_heads_ != 0 || heads_ % parts_ != 0)
      return std::nullopt;
    const int axis = flat_ ? 2 : 1;
    const Cut one = Cut().WithCopies(static_cast<int>(parts_ / kv_heads_));
    const auto keys = [&](int at) { return kv_heads_ == 1 ? State() : State::Split(at, one); };
    SpecialCut cut = Whole();
    cut.inputs[0] = cut.outputs[0] = State::Split(axis);
    cut.inputs[1] = cut.inputs[2] = keys(axis);
    if (Present(node_.inputs, 3)) {
      const Shape& mask = Input(3);
      if (mask.size() > 2 && mask[mask.size() - 3] != 1)
        cut.inputs[3] = State::Split(static_cast<int>(mask.size()) - 3);
    }
    for (const size_t past : {4U, 5U}) {
      if (Present(node_.inputs, past)) cut.inputs[past] = keys(1);
    }
    for (const size_t present : {1U, 2U}) {
      if (Present(node_.outputs, present)) cut.outputs[present] = keys(1);
    }
    if (Present(node_.outputs, 3)) cut.outputs[3] = State::Split(1);
    if (flat_) cut.divided = {{"q_num_heads", parts_}, {"kv_num_heads", kv_heads_}};
    return cut;
  }

  std::optional<SpecialCut> ValueWidth() const {
    const int axis = flat_ ? 2 : 3;
    const int64_t width = Input(2)[static_cast<size_t>(axis)] / (flat_ ? kv_heads_ : 1);
    const auto in = Units(axis, width, flat_ ? kv_heads_ : 1, parts_);
    const auto out = Units(axis, width, flat_ ? heads_ : 1, parts_);
    if (!in || !out) return std::nullopt;
    SpecialCut cut = Whole();
    cut.inputs[2] = *in;
    cut.outputs[0] = *out;
    if (Present(node_.inputs, 5)) cut.inputs[5] = State::Split(3);
    if (Present(node_.outputs, 2)) cut.outputs[2] = State::Split(3);
    return cut;
  }

  const graph::Graph& model_;
  const Node& node_;
  int parts_;
  bool flat_ = false;
  int64_t heads_ = 0;
  int64_t kv_heads_ = 0;
};

// Depth is (place in the block, channel): a cut of the channels has a segment for each place.
std::vector<SpecialCut> DepthCuts(const graph::Graph& model, const Node& node, int parts) {
  const bool to_space = node.op_type == "DepthToSpace";
  const graph::Value& deep = model.value(to_space ? node.inputs[0] : node.outputs[0]);
  const int64_t places = node.Int("blocksize", 1) * node.Int("blocksize", 1);
  if (node.String("mode", "DCR") == "CRD" || !deep.has_shape || deep.shape.size() != 4 ||
      deep.shape[1] == kDynamic)
    return {};
  const int64_t channels = deep.shape[1] / places;
  if (channels % parts != 0) return {};
  const State segments = State::Split(1, Cut::Of({{channels, places}}, deep.shape[1]));
  const State plain = State::Split(1);
  return {{{to_space ? segments : plain}, {to_space ? plain : segments}, {}}};
}

}  // namespace

std::vector<SpecialCut> SpecialCuts(const graph::Graph& model, const Node& node, int parts) {
  if (node.op_type == "DepthToSpace" || node.op_type == "SpaceToDepth") return DepthCuts(model, node, parts);
  if (node.op_type != "Attention") return {};
  for (size_t i = 0; i < 3; ++i) {
    if (!Present(node.inputs, i) || !model.value(node.inputs[i]).has_shape) return {};
  }
  if (!model.value(node.outputs[0]).has_shape) return {};
  return HeadCuts(model, node, parts).Cuts();
}

}  // namespace tessera::shard
