// plan.json: the model's inputs and outputs and the ranks' collectives.
#include "tessera/plan/plan_json.h"

namespace tessera::plan {
namespace {

Json WriteLayout(const Layout& layout) {
  switch (layout.kind) {
    case Layout::Kind::kSplit:
      return {{"kind", "split"}, {"axis", layout.axis}};
    case Layout::Kind::kRank:
      return {{"kind", "rank"}, {"rank", layout.rank.value()}};
    case Layout::Kind::kReplicated:
      break;
  }
  return {{"kind", "replicated"}};
}

Result<Layout> ReadLayout(const JsonField& field) {
  TRY_ASSIGN(const std::string kind, StringAt(field, "kind"));
  if (kind == "replicated") {
    TRY(field.OnlyHas({"kind"}));
    return Layout{};
  }
  if (kind == "split") {
    TRY(field.OnlyHas({"kind", "axis"}));
    TRY_ASSIGN(const int64_t axis, IntAt(field, "axis", 0, kMostInt));
    return Layout{Layout::Kind::kSplit, static_cast<int>(axis), Rank{0}};
  }
  if (kind == "rank") {
    TRY(field.OnlyHas({"kind", "rank"}));
    TRY_ASSIGN(const int64_t rank, IntAt(field, "rank", 0, kMostInt));
    return Layout{Layout::Kind::kRank, 0, Rank{static_cast<int>(rank)}};
  }
  TRY_ASSIGN(const JsonField got, field.At("kind"));
  return got.Unwanted("replicated, split or rank");
}

Result<int64_t> ReadMultiple(const JsonField& field) {
  return field.Int(1, kMostInt);
}

}  // namespace

Json WriteTensor(const TensorPlan& tensor) {
  Json written{{"name", tensor.spec.name},
               {"type", DTypeName(tensor.spec.type)},
               {"shape", tensor.spec.shape},
               {"dims", tensor.dim_names},
               {"layout", WriteLayout(tensor.layout)}};
  if (!tensor.multiples.empty()) written["multiples"] = tensor.multiples;
  if (tensor.index_bound > 0) written["below"] = tensor.index_bound;
  return written;
}

Result<TensorPlan> ReadTensor(const JsonField& field) {
  TRY(field.OnlyHas({"name", "type", "shape", "dims", "layout", "multiples", "below"}));
  TensorPlan tensor;
  TRY_ASSIGN(tensor.spec.name, StringAt(field, "name"));
  TRY_ASSIGN(tensor.spec.type, NamedAt(field, "type", DTypeFromName, "a type such as FP32 or INT64"));
  TRY_ASSIGN(tensor.spec.shape, ListAt(field, "shape", ReadDimension));
  TRY_ASSIGN(tensor.dim_names, ListAt(field, "dims", ReadString));
  TRY_ASSIGN(const JsonField layout, field.At("layout"));
  TRY_ASSIGN(tensor.layout, ReadLayout(layout));
  if (field.Has("multiples")) {
    TRY_ASSIGN(tensor.multiples, ListAt(field, "multiples", ReadMultiple));
  }
  if (field.Has("below")) {
    TRY_ASSIGN(tensor.index_bound, IntAt(field, "below", 1, kMost));
  }
  return tensor;
}

Json WriteCollective(const CollectivePlan& collective) {
  return {{"name", collective.name},
          {"op", Name(collective.op)},
          {"reduce", Name(collective.reduce)},
          {"axis", collective.axis},
          {"type", DTypeName(collective.type)},
          {"shape", collective.shape},
          {"bytes", collective.bytes.value()}};
}

Result<CollectivePlan> ReadCollective(const JsonField& field) {
  TRY(field.OnlyHas({"name", "op", "reduce", "axis", "type", "shape", "bytes"}));
  CollectivePlan collective;
  TRY_ASSIGN(collective.name, StringAt(field, "name"));
  TRY_ASSIGN(collective.op, NamedAt(field, "op", CollectiveOpFromName, "a collective such as all_reduce"));
  TRY_ASSIGN(collective.reduce,
             NamedAt(field, "reduce", ReduceOpFromName, "none, sum, prod, max, min or avg"));
  TRY_ASSIGN(collective.axis, StringAt(field, "axis"));
  TRY_ASSIGN(collective.type, NamedAt(field, "type", DTypeFromName, "a type such as FP32 or INT64"));
  TRY_ASSIGN(collective.shape, ListAt(field, "shape", ReadDimension));
  TRY_ASSIGN(collective.bytes, BytesAt(field, "bytes"));
  return collective;
}

}  // namespace tessera::plan
